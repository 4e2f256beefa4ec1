"""A hash of what rows say, whatever their order, the file they came from or the part they are in.

It is a sum: rows that come are added, rows that go are taken away, and no version of a table need
be read whole to know its content. A missing value adds nothing, so a new empty column changes none.
"""

import operator
from dataclasses import dataclass
from functools import reduce
from zlib import crc32

import polars as pl

from trimtab.types import SYSTEM_COLUMNS

HASH = "_content"
_BITS = 32
# Polars may change its hash between versions; then content is computed anew, never mixed.
_ALGORITHM = f"polars-{pl.__version__}"


@dataclass(frozen=True)
class Content:
    """How many rows there are and the sum of their hashes."""

    rows: int = 0
    total: int = 0

    def __add__(self, other: "Content") -> "Content":
        return Content(self.rows + other.rows, (self.total + other.total) % 2**64)

    def __sub__(self, other: "Content") -> "Content":
        return Content(self.rows - other.rows, (self.total - other.total) % 2**64)

    def __str__(self) -> str:
        return f"{_ALGORITHM}:{self.rows}:{self.total:016x}"


def parse(text: str | None) -> Content | None:
    """Read what ``str`` wrote; None when it was written by another version of Polars."""
    algorithm, _, rest = (text or "").partition(":")
    if algorithm != _ALGORITHM:
        return None
    rows, _, total = rest.partition(":")
    return Content(int(rows), int(total, 16))


def row_hash(names: list[str]) -> pl.Expr:
    """Hash of each row's values in ``names`` (system columns do not count), as ``_content``."""
    own = [name for name in names if name not in SYSTEM_COLUMNS and name != HASH]
    nothing = pl.lit(0, pl.UInt64)
    parts = [
        pl.when(pl.col(name).is_not_null())
        .then(pl.col(name).hash(crc32(name.encode())))
        .otherwise(nothing)
        for name in own
    ]
    return reduce(operator.add, parts, nothing).hash(1).alias(HASH)


def of(rows: pl.LazyFrame, names: list[str]) -> Content:
    """Read the rows once and return their content."""
    hashed = rows.select(row_hash(names))
    # in two halves: a sum of whole hashes would pass the largest number there is
    half = pl.lit(2**_BITS, pl.UInt64)
    low, high, count = (
        hashed.select(
            (pl.col(HASH) % half).sum(), (pl.col(HASH) // half).sum().alias("high"), pl.len()
        )
        .collect(engine="streaming")
        .row(0)
    )
    return Content(count, (low + (high << _BITS)) % 2**64)
