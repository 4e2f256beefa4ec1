"""Joins that never change the rows they join to: by equality, and by the latest earlier time."""

import polars as pl

from trimtab.config.model import Join
from trimtab.features.point_in_time import match
from trimtab.types import ROW

# Which published file a row came from, as the Delta version it made: later files win.
ORDER = "_order"
_AT, _KEY = "_at", "_key_"


def bring(
    rows: pl.DataFrame,
    join: Join,
    table: pl.LazyFrame,
    columns: dict[str, str],
    *,
    time: str | None = None,
) -> pl.DataFrame:
    """Return ``columns`` (their name to ours) of ``table`` for ``rows``; same rows, same order.

    ``time`` is the joined table's event time. Of rows with equal keys (and, for an as-of join,
    equal time) the newest wins: by time, then by published file, then by position in the file.
    """
    ours, keys = list(join.pairs), [f"{_KEY}{i}" for i in range(len(join.pairs))]
    named = [
        pl.col(theirs).alias(key) for key, theirs in zip(keys, join.pairs.values(), strict=True)
    ]
    values = [pl.col(theirs).alias(name) for theirs, name in columns.items()]
    moment = [pl.col(time).alias(_AT)] if time else []
    needed = [*keys, *([_AT] if moment else [])]
    right = table.select(*named, *values, *moment, ORDER, ROW).drop_nulls(needed)
    if join.as_of:
        there, by = right.collect(), (ORDER, ROW)
        found = match(rows, ours, join.as_of, there, keys, _AT, order=by, max_age=join.max_age)
        return taken(there, found, list(columns.values()))
    newest = right.sort(*([_AT] if moment else []), ORDER, ROW)
    newest = newest.unique(keys, keep="last", maintain_order=True)
    both = (
        rows.lazy()
        .select(ours)
        .join(newest, left_on=ours, right_on=keys, how="left", maintain_order="left")
    )
    return both.select(list(columns.values())).collect()


def taken(table: pl.DataFrame, found: pl.Series, names: list[str]) -> pl.DataFrame:
    """Return columns of the rows at the positions ``found``; null where there is none."""
    return table.select(pl.col(names).gather(found))
