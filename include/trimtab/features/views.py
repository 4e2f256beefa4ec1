"""The rows of a feature view: what was the case of an entity when, and since when that is known."""

import logging
from collections.abc import Collection
from datetime import datetime

import polars as pl

from trimtab.config import DatasetSpec
from trimtab.config.columns import view_columns
from trimtab.config.view import FeatureView
from trimtab.features import derive
from trimtab.features.join import ORDER
from trimtab.types import ROW

log = logging.getLogger(__name__)
# When a row of a view happened, and from when on it may be seen.
TIME, KNOWN = "_time", "_known"


def view_rows(view: FeatureView, dataset: DatasetSpec, table: pl.LazyFrame) -> pl.LazyFrame:
    """Return entity, ``_time``, ``_known`` and the view's columns, unique on the first three.

    Of rows with equal entity, event time and known time the one of the file published last wins,
    then the later position. Rows without an entity or a time are left out, and logged.

    Raises:
        DataError: a derived column cannot be computed.
    """
    rows = all_rows(view, dataset, table).lazy()
    keys = [*view.entity, TIME, KNOWN]
    ordered = rows.sort([*keys, ORDER, ROW])
    return ordered.unique(keys, keep="last", maintain_order=True).drop(ORDER, ROW)


def all_rows(
    view: FeatureView,
    dataset: DatasetSpec,
    table: pl.LazyFrame,
    only: Collection[str] | None = None,
) -> pl.DataFrame:
    """Return the rows before they are made unique, with where they came from.

    ``only`` names the columns of the view that are wanted.

    Raises:
        DataError: a derived column cannot be computed.
    """
    wanted = [name for name in view_columns(view, dataset) if only is None or name in only]
    made = derive.closure(wanted, view.derive, visible(view, dataset))
    own = [name for name in dataset.columns if name in {*wanted, *made.reads}]
    time = pl.col(view.time or str(dataset.time))
    known = pl.col(view.known) if view.known else time + view.delay
    names = list(dict.fromkeys([*view.entity, *own]))
    plan = table.select(*names, time.alias(TIME), known.alias(KNOWN), ORDER, ROW)
    there = plan.drop_nulls([*view.entity, TIME, KNOWN]).collect()
    _tell(view, dataset, table, there.height)
    where = f"feature view {view.view}"
    rows = derive.add(there, made.columns, visible(view, dataset), where)
    return rows.select(list(dict.fromkeys([*view.entity, TIME, KNOWN, *wanted, ORDER, ROW])))


def visible(view: FeatureView, dataset: DatasetSpec) -> list[str]:
    """Return the columns a derived column of the view may read: what is known with the row."""
    return [
        name for name, column in dataset.columns.items() if view.known or column.known_after is None
    ]


def _tell(view: FeatureView, dataset: DatasetSpec, table: pl.LazyFrame, kept: int) -> None:
    """Log how many rows have no entity or time; where the contract allows none, nothing counts."""
    needed = [*view.entity, view.time or str(dataset.time), *([view.known] if view.known else [])]
    if any(dataset.columns[name].nullable for name in needed):
        rows = int(table.select(pl.len()).collect().item())
        if rows > kept:
            log.info("%s: %s rows without %s are left out", view.view, rows - kept, needed)


def latest(rows: pl.LazyFrame, view: FeatureView, at: datetime) -> pl.LazyFrame:
    """Return the newest row of each entity that had happened and was known at a moment.

    ``rows`` are those of ``view_rows``. An entity whose newest row is older than the view's
    ``max_age`` is left out.
    """
    moment = pl.lit(at).cast(pl.Datetime("us", "UTC"))
    seen = rows.filter(pl.col(TIME) <= moment, pl.col(KNOWN) <= moment)
    ordered = seen.sort([*view.entity, TIME, KNOWN])
    newest = ordered.unique(list(view.entity), keep="last", maintain_order=True)
    if view.max_age is None:
        return newest
    return newest.filter(moment - pl.col(TIME) <= view.max_age)
