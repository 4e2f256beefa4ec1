"""Where bad rows and refused files go, with their reason and their original text."""

import json
from pathlib import Path

import polars as pl

from trimtab.data import staging, text
from trimtab.environment import Environment
from trimtab.types import FILE, ROW

NAME = "_name"


def rows_path(env: Environment, dataset: str, sha256: str, *, step: str = "") -> Path:
    """Bad rows of a file; ``step``: 'refused' for a refused file, else who set them aside later."""
    name = f"{sha256}.{step}.parquet" if step else f"{sha256}.parquet"
    return env.lake / "quarantine" / dataset / "rows" / name


def files_path(env: Environment, dataset: str, sha256: str) -> Path:
    """Folder of a refused file: its bytes and ``reason.json``."""
    return env.lake / "quarantine" / dataset / "files" / sha256


def keep_rows(path: Path, bad: pl.DataFrame, *, name: str, sha256: str) -> None:
    """Write bad rows: contract columns as text, ``_row``, ``_reason``, ``_column``, file."""
    if bad.height:
        told = bad.with_columns(pl.lit(sha256).alias(FILE), pl.lit(name).alias(NAME))
        staging.write_parquet(path, told)


def with_text(env: Environment, dataset: str, sha256: str, findings: pl.DataFrame) -> pl.DataFrame:
    """Add the original text of the rows that ``findings`` speak of, from the file's own bytes."""
    data = staging.source(env, dataset, sha256).read_bytes()
    rows = text.read(data, env.project.dataset(dataset)).rows
    return findings.join(rows, on=ROW, how="left", maintain_order="left")


def keep_file(folder: Path, data: bytes, *, name: str, reason: str, detail: str) -> None:
    """Write a refused file byte for byte, and why it was refused."""
    staging.write_bytes(folder / name, data)
    told = {"name": name, "reason": reason, "detail": detail}
    # a delivered file may be called reason.json, too; then ours steps aside
    target = "reason.json" if name != "reason.json" else "reason.trimtab.json"
    staging.write_bytes(folder / target, json.dumps(told, indent=2).encode())
