"""What is in a version of a dataset, and what is different in another one."""

from typing import Any

import polars as pl
import pyarrow as pa

from trimtab.config import DatasetSpec
from trimtab.data.content import HASH, row_hash
from trimtab.data.table import Table, names
from trimtab.types import FILE, PARTITION, SYSTEM_COLUMNS

_STATISTICS = ("count", "nulls", "mean", "min", "max", "distinct")


def columns(table: Table) -> dict[str, str]:
    """Names and types of the dataset's own columns."""
    return {f.name: _plain(f.type) for f in table.schema if f.name not in SYSTEM_COLUMNS}


def rows_by(table: Table, column: str) -> dict[str, int]:
    """Number of rows for each value of a system column, the largest value last."""
    counted = table.rows().group_by(column).len().sort(column)
    return dict(counted.collect(engine="streaming").iter_rows())


def files_in(table: Table) -> dict[str, int]:
    """Delivered files that have rows in a version, by hash, and how many."""
    return rows_by(table, FILE)


def partitions_in(table: Table) -> dict[str, int]:
    """Partitions of a version and their rows."""
    return rows_by(table, PARTITION)


def statistics(table: Table) -> dict[str, dict[str, Any]]:
    """Describe every column in one pass: count, nulls, mean, min, max, distinct (estimated)."""
    rows = table.rows()
    types = rows.collect_schema()
    asked = [
        expression.alias(f"{name}\0{what}")
        for name in columns(table)
        for what, expression in _measures(name, types[name]).items()
    ]
    told = rows.select(asked).collect(engine="streaming").row(0, named=True)
    found: dict[str, dict[str, Any]] = {name: dict.fromkeys(_STATISTICS) for name in columns(table)}
    for place, value in told.items():
        name, what = place.split("\0")
        found[name][what] = value
    return found


def between(spec: DatasetSpec, before: Table, after: Table) -> dict[str, int]:
    """Count rows by key: added, removed, changed, unchanged; files both have are not read."""
    shared = before.files.keys() & after.files.keys()
    key = list(spec.key)
    old, new = _only(before, shared, key, "_before"), _only(after, shared, key, "_after")
    both = old.join(new, on=key, how="full", nulls_equal=True, coalesce=True)
    was, is_ = pl.col("_before"), pl.col("_after")
    counted = both.select(
        added=was.is_null().sum(),
        removed=is_.is_null().sum(),
        changed=(was != is_).sum(),
        unchanged=(was == is_).sum(),
    ).collect(engine="streaming")
    told: dict[str, int] = counted.row(0, named=True)
    common = sum(before.files[name].rows for name in shared)
    return {**told, "unchanged": told["unchanged"] + common}


def columns_between(before: Table, after: Table) -> dict[str, Any]:
    """Columns that came, went, or changed their type."""
    old, new = columns(before), columns(after)
    return {
        "added": {name: kind for name, kind in new.items() if name not in old},
        "removed": {name: kind for name, kind in old.items() if name not in new},
        "changed": {
            name: [old[name], kind]
            for name, kind in new.items()
            if name in old and old[name] != kind
        },
    }


def _only(table: Table, shared: set[str], key: list[str], name: str) -> pl.LazyFrame:
    rows = table.read([file for file in table.files.values() if file.name not in shared])
    return rows.select(*key, row_hash(names(rows))).rename({HASH: name})


def _measures(name: str, kind: pl.DataType) -> dict[str, pl.Expr]:
    column = pl.col(name)
    measures = {
        "count": column.count(),
        "nulls": column.null_count(),
        "min": column.min(),
        "max": column.max(),
        "distinct": pl.min_horizontal(column.approx_n_unique(), column.count()),  # an estimate
    }
    if kind.is_numeric() or kind == pl.Boolean:
        measures["mean"] = column.mean()
    return measures


def _plain(kind: pa.DataType) -> str:
    return str(kind).replace("large_", "").replace("_view", "")
