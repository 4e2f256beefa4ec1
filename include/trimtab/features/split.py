"""Which rows train and which are held out for the gate."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from trimtab.types import ROLE

_SEPARATOR, _NULL = "\x1f", "\x00"


def by_time(rows: pl.DataFrame, time: str, newest: datetime, holdout: timedelta) -> pl.DataFrame:
    """Hold out the rows of the last ``holdout`` before ``newest``; both ends belong to it."""
    late = pl.col(time) >= newest - holdout
    return rows.with_columns(_role(late)).filter(pl.col(time).is_not_null())


def by_key(rows: pl.DataFrame, key: Sequence[str], share: float) -> pl.DataFrame:
    """Hold out a ``share`` of the rows by their key: a row is always on the same side."""
    held = pl.Series(shares(rows, key)) < share
    return rows.with_columns(_role(held))


def shares(rows: pl.DataFrame, key: Sequence[str]) -> list[float]:
    """Map each row's key to a number in [0, 1), the same in every process and release.

    It is the first 8 bytes of BLAKE2b over the key's values as text, separated by U+001F.
    """
    texts = rows.select(
        pl.concat_str([_text(rows, name) for name in key], separator=_SEPARATOR)
    ).to_series()
    return [_share(text) for text in texts]


def _share(text: str) -> float:
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53


def _text(rows: pl.DataFrame, name: str) -> pl.Expr:
    column = pl.col(name)
    if isinstance(rows.schema[name], pl.Datetime):
        column = column.dt.epoch("us")
    return column.cast(pl.String).fill_null(_NULL)


def _role(held: pl.Expr | pl.Series) -> pl.Expr:
    return pl.when(held).then(pl.lit("holdout")).otherwise(pl.lit("train")).alias(ROLE)
