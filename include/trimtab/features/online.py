"""Rows of a feature view as the online store keeps them: chosen, as text, and back again."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import polars as pl

from trimtab.adapters.online import Row
from trimtab.config.columns import view_columns
from trimtab.config.dataset import DatasetSpec
from trimtab.config.view import FeatureView
from trimtab.features import registry
from trimtab.features.views import KNOWN, TIME
from trimtab.ledger.chain import digest

_STAMP = "%Y-%m-%dT%H:%M:%S%.6f"  # 26 characters, sorts like the times
_WHAT_MATTERS = {"from_", "entity", "time", "known", "delay", "columns", "derive"}


def definition(view: FeatureView, dataset: DatasetSpec) -> str:
    """Hash of everything that shapes the rows of a view; ``max_age`` only shapes the answer."""
    said = view.model_dump(mode="json", by_alias=True, include=_WHAT_MATTERS)
    entity = {name: dataset.columns[name].type for name in view.entity}
    columns = {name: column.type for name, column in view_columns(view, dataset).items()}
    code = {d.function: registry.source(d.function) for d in view.derive.values() if d.function}
    return digest([said, dataset.time, entity, list(columns.items()), code])


def needed(rows: pl.LazyFrame, entity: Sequence[str], since: datetime) -> pl.DataFrame:
    """Return the rows that answer for ``since`` or any later moment, sorted by entity.

    Of each entity that is the newest row that is visible by then, and every row that will be.
    """
    visible = pl.max_horizontal(TIME, KNOWN)
    settled = rows.filter(visible <= since).sort(TIME, KNOWN, maintain_order=True)
    newest = settled.unique(list(entity), keep="last", maintain_order=True)
    later = rows.filter(visible > since)
    found = pl.concat([newest, later]).unique(
        [*entity, TIME, KNOWN], keep="last", maintain_order=True
    )
    return found.sort(*entity, TIME, KNOWN, maintain_order=True).collect(engine="streaming")


def stamp(moment: datetime) -> str:
    """Write a time as the store compares it."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def moment(text: str) -> datetime:
    """Read a time of the store."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass(frozen=True)
class Codec:
    """Entities and values of one view as text; what comes back equals what went in."""

    entity: tuple[str, ...]
    types: Mapping[str, str]  # of the value columns

    @classmethod
    def of(cls, view: FeatureView, dataset: DatasetSpec) -> "Codec":
        """Take entity columns and types from the configuration."""
        columns = view_columns(view, dataset)
        return cls(view.entity, {name: column.type for name, column in columns.items()})

    def key(self, values: Mapping[str, Any]) -> str:
        """Write the entity of ``values``."""
        return _text([_plain(values[name]) for name in self.entity])

    def rows(self, frame: pl.DataFrame, version: int) -> Iterator[Row]:
        """Write each row of ``frame``."""
        plain = frame.with_columns(pl.col(pl.Datetime).dt.strftime(_STAMP))
        keys = plain.select(self.entity).iter_rows()
        times = plain.select(TIME, KNOWN).iter_rows()
        values = plain.select(list(self.types)).iter_rows()
        for key, (time, known), row in zip(keys, times, values, strict=True):
            said = _text(dict(zip(self.types, row, strict=True)))
            yield Row(_text(list(key)), time, known, version, said)

    def values(self, row: Row) -> dict[str, Any]:
        """Read the values of a row."""
        said = cast("dict[str, Any]", json.loads(row.values))
        times = {
            name: moment(said[name])
            for name, kind in self.types.items()
            if kind == "time" and said[name] is not None
        }
        return {**said, **times}


def _plain(value: Any) -> Any:
    return stamp(value) if isinstance(value, datetime) else value


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
