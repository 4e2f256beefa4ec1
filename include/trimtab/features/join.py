"""Joins that never change the rows they join to: by equality, and by the latest earlier time."""

from collections.abc import Sequence
from datetime import UTC, datetime

import polars as pl

from trimtab.config.model import Join
from trimtab.errors import DataError
from trimtab.types import ROW

# Which published file a row came from, as the Delta version it made: later files win.
ORDER = "_order"
_AT, _INDEX, _KEY = "_at", "_index", "_key_"
_NEVER = datetime(1, 1, 1, tzinfo=UTC)  # a row without a time finds nothing


def add(
    rows: pl.LazyFrame,
    join: Join,
    table: pl.LazyFrame,
    columns: dict[str, str],
    *,
    time: str | None = None,
) -> pl.LazyFrame:
    """Add ``columns`` (their name to ours) of ``table`` to ``rows``; same rows, same order.

    ``time`` is the joined table's event time. Of rows with equal keys (and, for an as-of join,
    equal time) the newest wins: by time, then by published file, then by position in the file.

    Raises:
        DataError: a joined column has a name that the rows have already.
    """
    if taken := sorted(set(columns.values()) & set(rows.collect_schema().names())):
        raise DataError(f"join of {join.dataset}: the rows have {taken} already; rename them")
    ours, keys = list(join.pairs), [f"{_KEY}{i}" for i in range(len(join.pairs))]
    named = [
        pl.col(theirs).alias(key) for key, theirs in zip(keys, join.pairs.values(), strict=True)
    ]
    values = [pl.col(theirs).alias(name) for theirs, name in columns.items()]
    moment = [pl.col(time).alias(_AT)] if time else []
    right = table.select(*named, *values, *moment, ORDER, ROW).drop_nulls(
        [*keys, *([_AT] if moment else [])]
    )
    if join.as_of:
        return _as_of(rows, join, _newest(right, [*keys, _AT], [ORDER, ROW]), ours, keys)
    by = [*([_AT] if moment else []), ORDER, ROW]
    right = _newest(right, keys, by).drop(_AT, strict=False)
    return rows.join(right, left_on=ours, right_on=keys, how="left", maintain_order="left")


def _as_of(
    rows: pl.LazyFrame, join: Join, right: pl.LazyFrame, ours: Sequence[str], keys: Sequence[str]
) -> pl.LazyFrame:
    at = pl.col(str(join.as_of)).fill_null(_NEVER).alias(_AT)
    left = rows.with_row_index(_INDEX).with_columns(at).sort(_AT, maintain_order=True)
    found = left.join_asof(
        right.sort(_AT, maintain_order=True),
        on=_AT,
        by_left=list(ours),
        by_right=list(keys),
        strategy="backward",
        tolerance=join.max_age,
        check_sortedness=False,  # sorted right above; polars cannot see that inside groups
    )
    return found.sort(_INDEX).drop(_INDEX, _AT, *keys, strict=False)


def _newest(table: pl.LazyFrame, keys: Sequence[str], by: Sequence[str]) -> pl.LazyFrame:
    ordered = table.sort([*keys, *(name for name in by if name not in keys)])
    return ordered.unique(list(keys), keep="last", maintain_order=True).drop(ORDER, ROW)
