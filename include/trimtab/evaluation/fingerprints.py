"""Fingerprints of rows: what a row says, whatever its number, its place or the file it came from.

64 bits of BLAKE2b, so that chance makes two of ten million rows alike in one of 300,000 tables. No
library's hash of a value is used, so that lists stay comparable whatever is installed.
"""

import hashlib
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trimtab.types import ROLE, SYSTEM_COLUMNS

COLUMN = "fingerprint"
Prints = NDArray[np.uint64]
_WIDTH = 8  # bytes of a fingerprint, and of each value in it
_NULL = np.uint64(0x6E6F7468696E6721)


def of(rows: pl.DataFrame, columns: Collection[str]) -> Prints:
    """Return the fingerprint of each row's values in ``columns``, in any order, (n,)."""
    names = sorted(columns)
    if not names or not rows.height:
        return np.zeros(rows.height, dtype=np.uint64)
    table = np.ascontiguousarray(np.stack([_words(rows[name]) for name in names], axis=1))
    view, width = memoryview(table.tobytes()), _WIDTH * len(names)
    return _numbers(_hash(view[at : at + width]) for at in range(0, len(view), width))


def listed(rows: pl.DataFrame) -> Prints:
    """Return the fingerprints of whole rows of a feature file, sorted: the list that is frozen."""
    return np.sort(of(rows, {*rows.columns} - {*SYSTEM_COLUMNS, ROLE}))


def sha256(prints: Prints) -> str:
    """Hash of a list of fingerprints."""
    return hashlib.sha256(prints.astype("<u8").tobytes()).hexdigest()


def path(file: Path) -> Path:
    """Where the list of a feature file's hold-out rows lies."""
    return file.with_suffix(".holdout.parquet")


def read(file: Path) -> Prints:
    """Read a list.

    Raises:
        FileNotFoundError: there is none.
    """
    return cast("Prints", pl.read_parquet(file)[COLUMN].to_numpy())


def twins(ours: Prints, theirs: Prints) -> int:
    """Count how many of our rows are also among theirs."""
    return int(np.isin(ours, theirs).sum())


def _words(values: pl.Series) -> Prints:
    """Each value as 8 bytes: numbers and moments as they are, text by its hash."""
    if values.dtype.is_float():
        numbers = values.cast(pl.Float64).fill_null(0.0).to_numpy() + 0.0  # no negative zero
        found = np.where(np.isnan(numbers), np.nan, numbers).view(np.uint64)
    elif values.dtype.is_integer() or values.dtype == pl.Boolean:
        whole = values.cast(pl.UInt64 if values.dtype == pl.UInt64 else pl.Int64).fill_null(0)
        found = whole.to_numpy().view(np.uint64)
    elif isinstance(values.dtype, pl.Datetime):
        found = values.dt.epoch("us").fill_null(0).to_numpy().view(np.uint64)
    else:
        found = _texts(values.cast(pl.String).fill_null(""))
    return np.where(values.is_null().to_numpy(), _NULL, found)


def _texts(values: pl.Series) -> Prints:
    known = values.unique()
    prints = _numbers(_hash(text.encode()) for text in known)
    return cast("Prints", values.replace_strict(known, prints, return_dtype=pl.UInt64).to_numpy())


def _hash(data: bytes | memoryview) -> bytes:
    return hashlib.blake2b(data, digest_size=_WIDTH).digest()


def _numbers(hashes: Iterable[bytes]) -> Prints:
    return np.frombuffer(b"".join(hashes), dtype="<u8")
