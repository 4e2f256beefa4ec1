"""Which rows train and which are held out for the gate."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from trimtab.types import ROLE

_SEPARATOR, _NULL = "\x1f", "\x00"


def by_time(rows: pl.DataFrame, time: str, cut: datetime) -> pl.DataFrame:
    """Hold out the rows from ``cut`` on; rows without a time are left out."""
    return rows.with_columns(_role(pl.col(time) >= cut)).filter(pl.col(time).is_not_null())


def cut(rows: pl.DataFrame, time: str, newest: datetime, holdout: timedelta | float) -> datetime:
    """Return the moment the hold-out begins: a duration before ``newest``, or a share of rows.

    All rows of one moment are on one side, so the share can be larger than asked.
    """
    if isinstance(holdout, timedelta):
        return newest - holdout
    times = rows[time].drop_nulls().sort()
    count = min(max(1, round(len(times) * holdout)), len(times))
    moment: datetime = times[len(times) - count] if count else newest
    return moment


def by_key(rows: pl.DataFrame, key: Sequence[str], share: float, seed: int = 0) -> pl.DataFrame:
    """Hold out a ``share`` of the rows by their key: a row is always on the same side.

    By group, the key is the group's column. Another ``seed`` is another choice of rows.
    """
    held = pl.Series(shares(rows, key, seed), dtype=pl.Float64) < share
    return rows.with_columns(_role(held))


def shares(rows: pl.DataFrame, key: Sequence[str], seed: int = 0) -> list[float]:
    """Map each row's key to a number in [0, 1), the same in every process and release.

    It is the first 8 bytes of BLAKE2b over the key's values as text, separated by U+001F, salted
    with the seed (16 bytes, little-endian; a salt of 0 is none).
    """
    texts = rows.select(
        pl.concat_str([_text(rows, name) for name in key], separator=_SEPARATOR)
    ).to_series()
    return [_share(text, seed) for text in texts]


def _share(text: str, seed: int = 0) -> float:
    salt = seed.to_bytes(16, "little")
    digest = hashlib.blake2b(text.encode(), digest_size=8, salt=salt).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53


def _text(rows: pl.DataFrame, name: str) -> pl.Expr:
    column = pl.col(name)
    if isinstance(rows.schema[name], pl.Datetime):
        column = column.dt.epoch("us")
    return column.cast(pl.String).fill_null(_NULL)


def _role(held: pl.Expr | pl.Series) -> pl.Expr:
    return pl.when(held).then(pl.lit("holdout")).otherwise(pl.lit("train")).alias(ROLE)
