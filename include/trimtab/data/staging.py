"""Files written aside under a temporary name and moved into place whole."""

import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import polars as pl

from trimtab.environment import Environment


def rows(env: Environment, dataset: str, sha256: str) -> Path:
    """Accepted rows of a file, in the contract's types."""
    return env.lake / "staging" / dataset / f"{sha256}.parquet"


def checked(env: Environment, dataset: str, sha256: str) -> Path:
    """Accepted rows without those a check has set aside; there only when there are any."""
    return env.lake / "staging" / dataset / f"{sha256}.checked.parquet"


def source(env: Environment, dataset: str, sha256: str) -> Path:
    """The file's own bytes, kept because the landing folder belongs to somebody else."""
    return env.lake / "staging" / dataset / f"{sha256}.source"


def write_parquet(path: Path, frame: pl.DataFrame) -> None:
    """Write a frame as Parquet; readers see all of it or nothing."""
    _write(path, frame.write_parquet)


def write_bytes(path: Path, data: bytes) -> None:
    """Write bytes; readers see all of them or nothing."""
    _write(path, lambda stream: stream.write(data))


def _write(path: Path, write: Callable[[BinaryIO], object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".{uuid.uuid4().hex}.tmp"  # short: a name may be 255 bytes long
    try:
        with temporary.open("wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
