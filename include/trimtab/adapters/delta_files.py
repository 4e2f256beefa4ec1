"""The Parquet files a Delta table is made of, and what is known of each without reading it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.fs import DeltaStorageHandler
from pyarrow.fs import PyFileSystem

PATH = "_path"  # where a row lies, added by `read`
_LONGEST = 64  # characters of a text in the statistics; a content hash must fit
_LAST = "\U0010ffff"  # sorts after every other character


@dataclass(frozen=True)
class DataFile:
    """One Parquet file in the table's folder: ``low`` and ``high`` bound what a column holds."""

    name: str
    size: int
    rows: int
    low: Mapping[str, Any] = field(default_factory=dict)
    high: Mapping[str, Any] = field(default_factory=dict)
    nulls: Mapping[str, int] = field(default_factory=dict)

    @property
    def stats(self) -> str:
        """The statistics as Delta's JSON; what JSON cannot say is left out."""
        low = {name: told for name, value in self.low.items() if (told := _low(value)) is not None}
        high = {name: told for name, v in self.high.items() if (told := _high(v)) is not None}
        return json.dumps(
            {
                "numRecords": self.rows,
                "minValues": low,
                "maxValues": high,
                "nullCount": dict(self.nulls),
            }
        )

    def may_share(self, other: "DataFile", columns: Iterable[str]) -> bool:
        """Whether a row of this file can have the values of a row of ``other`` in ``columns``."""
        return all(self.may_hold(c, other.low.get(c), other.high.get(c), other) for c in columns)

    def may_hold(self, column: str, low: Any, high: Any, other: "DataFile | None" = None) -> bool:
        """Whether a value between ``low`` and ``high`` can be in ``column``; unknown means yes."""
        mine = (self.low.get(column), self.high.get(column))
        if None in (*mine, low, high):
            return True
        if other and self.nulls.get(column, 1) and other.nulls.get(column, 1):
            return True
        return bool(mine[0] <= high and low <= mine[1])


def files(path: str, version: int | None = None) -> dict[str, DataFile]:
    """Return the files of one version by name, in the order of their names; reads the log only."""
    actions = pa.table(DeltaTable(path, version=version).get_add_actions(flatten=False))
    found = [_from_log(action) for action in actions.to_pylist()]
    return {file.name: file for file in sorted(found, key=lambda file: file.name)}


def described(path: str, name: str) -> DataFile:
    """Read the footer of a Parquet file in the table's folder, which need not be in the table."""
    storage = PyFileSystem(DeltaStorageHandler(path))
    footer = pq.read_metadata(name, filesystem=storage)
    low, high, nulls = _bounds(footer)
    return DataFile(name, storage.get_file_info(name).size, footer.num_rows, low, high, nulls)


def columns(path: str, name: str) -> pa.Schema:
    """Return the columns of a Parquet file in the table's folder."""
    return pq.read_schema(name, filesystem=PyFileSystem(DeltaStorageHandler(path)))


def read(path: str, found: Sequence[DataFile], schema: pa.Schema) -> pl.LazyFrame:
    """Read some files of a table lazily, with ``_path``: the name of the file a row lies in."""
    types = pl.DataFrame(schema.empty_table()).schema
    if not found:
        return pl.LazyFrame(schema={**types, PATH: pl.String})
    folder = path.rstrip("/") + "/"
    rows = pl.scan_parquet(
        [folder + file.name for file in found],
        schema=types,
        missing_columns="insert",
        include_file_paths=PATH,
        glob=False,
    )
    return rows.with_columns(pl.col(PATH).str.strip_prefix(folder))


def _from_log(action: dict[str, Any]) -> DataFile:
    known = {part: action.get(part) or {} for part in ("min", "max", "null_count")}
    low, high, nulls = (
        {name: value for name, value in known[part].items() if value is not None}
        for part in ("min", "max", "null_count")
    )
    rows = action.get("num_records")
    return DataFile(
        action["path"], action["size_bytes"], -1 if rows is None else rows, low, high, nulls
    )


def _bounds(footer: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, int]]:
    """Bounds over all row groups of the columns whose every group has statistics."""
    low: dict[str, Any] = {}
    high: dict[str, Any] = {}
    nulls: dict[str, int] = {}
    groups = [footer.row_group(i) for i in range(footer.num_row_groups)]
    for position in range(footer.num_columns):
        name = footer.schema.column(position).path
        told = [group.column(position).statistics for group in groups]
        if any(s is None or not s.has_null_count for s in told):
            continue
        nulls[name] = sum(s.null_count for s in told)
        filled = [s for s in told if s.num_values]
        if filled and all(s.has_min_max for s in filled):
            low[name], high[name] = min(s.min for s in filled), max(s.max for s in filled)
    return low, high, nulls


def _low(value: Any) -> Any:
    return value[:_LONGEST] if isinstance(value, str) else _told(value)


def _high(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _LONGEST:
        # a cut text must not sort before the whole one
        return None if value[_LONGEST] == _LAST else value[:_LONGEST] + _LAST
    return value if isinstance(value, str) else _told(value)


def _told(value: Any) -> Any:
    match value:
        case bool():
            return None  # Delta keeps no bounds of yes and no
        case int():
            return value
        case float():
            return value if value - value == 0 else None  # JSON has no infinity
        case datetime():
            moment = value if value.tzinfo else value.replace(tzinfo=UTC)
            return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return None
