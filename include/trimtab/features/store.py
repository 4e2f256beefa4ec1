"""The feature file of one key: written aside, then renamed."""

import hashlib
import os
from pathlib import Path

import polars as pl


def path(lake: Path, model: str, key: str) -> Path:
    """Where the feature file of ``key`` lies."""
    return lake / "features" / model / f"{key}.parquet"


def write(rows: pl.DataFrame, file: Path) -> str:
    """Write the rows (zstd) and return the file's SHA-256; a reader sees all of them or no file.

    The same rows in the same order give the same bytes.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    rows.write_parquet(aside, compression="zstd")
    with aside.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    aside.replace(file)
    return sha256
