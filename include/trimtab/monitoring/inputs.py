"""Feature columns as one matrix of numbers, alike on both sides. For trees: order is enough."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from trimtab.monitoring.profile import Kind

CATEGORIES = 250  # by frequency; rarer ones are one value


def matrix(frame: pl.DataFrame, reference: pl.DataFrame, kinds: Mapping[str, Kind]) -> Any:
    """Return (n, d) floats: categories as ranks of the reference, times as hour and weekday.

    A column that is absent, or holds what cannot be read, has no values (NaN).
    """
    columns = [
        part for name, kind in kinds.items() for part in _columns(frame, reference, name, kind)
    ]
    made = np.column_stack(columns) if columns else np.empty((frame.height, 0))
    return np.where(np.isfinite(made), made, np.nan)


def _columns(frame: pl.DataFrame, reference: pl.DataFrame, name: str, kind: Kind) -> list[Any]:
    if name not in frame.columns:
        return [np.full(frame.height, np.nan) for _ in range(2 if kind == "hour" else 1)]
    column = frame[name]
    if kind == "categorical":
        return [_ranks(column, reference[name])]
    if kind == "hour":
        moment = column.cast(pl.Datetime, strict=False)
        return [_floats(moment.dt.hour()), _floats(moment.dt.weekday())]
    return [_floats(column)]


def _floats(column: pl.Series) -> Any:
    return column.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy()


def _ranks(column: pl.Series, reference: pl.Series) -> Any:
    seen = reference.cast(pl.String).drop_nulls().alias("value").value_counts()
    names = seen.sort(["count", "value"], descending=[True, False])["value"].head(CATEGORIES)
    ranks = {name: float(rank) for rank, name in enumerate(names.to_list())}
    made = column.cast(pl.String).replace_strict(ranks, default=-1.0, return_dtype=pl.Float64)
    return made.set(column.is_null(), None).fill_null(float("nan")).to_numpy()
