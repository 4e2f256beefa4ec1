"""The feature file of one key: written aside, then renamed."""

import os
from pathlib import Path

import polars as pl


def path(lake: Path, model: str, key: str) -> Path:
    """Where the feature file of ``key`` lies."""
    return lake / "features" / model / f"{key}.parquet"


def write(rows: pl.DataFrame, file: Path) -> None:
    """Write the rows (zstd); a reader sees all of them or no file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    rows.write_parquet(aside, compression="zstd")
    aside.replace(file)
