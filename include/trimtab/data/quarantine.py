"""Where bad rows and refused files go, with their reason and their original text."""

import json
import tempfile
from pathlib import Path

import polars as pl

from trimtab.data import formats, staging
from trimtab.environment import Environment
from trimtab.types import FILE, ROW

NAME = "_name"
STEPS = ("", "checks", "publish")  # who sets rows of an accepted file aside
RELEASED = "release-"  # how files begin that hold corrected rows


def rows_key(dataset: str, sha256: str, *, step: str = "") -> str:
    """Bad rows of a file; ``step``: 'refused' for a refused file, else who set them aside later."""
    name = f"{sha256}.{step}.parquet" if step else f"{sha256}.parquet"
    return f"quarantine/{dataset}/rows/{name}"


def files_prefix(dataset: str, sha256: str) -> str:
    """Prefix of a refused file: its bytes and ``reason.json``."""
    return f"quarantine/{dataset}/files/{sha256}/"


def keep_rows(
    env: Environment, key: str, bad: pl.DataFrame | pl.LazyFrame, *, name: str, sha256: str
) -> None:
    """Write bad rows: contract columns as text, ``_row``, ``_reason``, ``_column``, file."""
    if isinstance(bad, pl.DataFrame) and bad.is_empty():
        return
    told = bad.lazy().with_columns(pl.lit(sha256).alias(FILE), pl.lit(name).alias(NAME))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.parquet"
        told.sink_parquet(file)
        env.store.put(key, file)


def kept(env: Environment, dataset: str, sha256: str) -> pl.LazyFrame | None:
    """Rows of an accepted file that were set aside, by whatever step; None when none were."""
    keys = [rows_key(dataset, sha256, step=step) for step in STEPS]
    found = [pl.scan_parquet(env.store.location(key)) for key in keys if env.store.exists(key)]
    return pl.concat(found, how="diagonal_relaxed").sort(ROW) if found else None


def with_text(env: Environment, dataset: str, sha256: str, findings: pl.DataFrame) -> pl.DataFrame:
    """Add the original text of the rows that ``findings`` speak of, from the file's own bytes."""
    spec = env.project.dataset(dataset)
    event = env.ledger.find("file", dataset, sha256)
    name = event.payload["name"] if event else ""
    with tempfile.TemporaryDirectory() as folder:
        file = env.store.fetch(staging.source_key(dataset, sha256), Path(folder))
        parts = list(formats.again(file, name, spec, findings.select(ROW)))
    if not parts:
        return findings
    return findings.join(pl.concat(parts), on=ROW, how="left", maintain_order="left")


def keep_file(
    env: Environment,
    dataset: str,
    sha256: str,
    data: bytes | Path | None,
    *,
    name: str,
    reason: str,
    detail: str,
) -> None:
    """Write a refused file byte for byte, and why it was refused; None: it was not even opened."""
    prefix = files_prefix(dataset, sha256)
    if isinstance(data, Path):
        env.store.put(prefix + name, data)
    elif data is not None:
        env.store.write(prefix + name, data)
    told = {"name": name, "reason": reason, "detail": detail}
    # a delivered file may be called reason.json, too; then ours steps aside
    target = "reason.json" if name != "reason.json" else "reason.trimtab.json"
    env.store.write(prefix + target, json.dumps(told, indent=2).encode())
