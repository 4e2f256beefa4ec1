"""Everything that was learned from one file, put together."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from trimtab.errors import DataError
from trimtab.profiling import association, columns, drift, keys, task
from trimtab.profiling.association import Association, Leak
from trimtab.profiling.columns import Column
from trimtab.profiling.drift import Drift
from trimtab.profiling.keys import Keys
from trimtab.profiling.reading import Table
from trimtab.profiling.task import Target

_EVENT = re.compile(r"time|date|stamp|_at$|^at$|created|hour|day", re.IGNORECASE)


@dataclass(frozen=True)
class Profile:
    """What one file tells. ``rows`` are typed, in the file's order."""

    table: Table
    rows: pl.DataFrame
    columns: tuple[Column, ...]
    keys: Keys
    target: Target
    time: str | None  # the event time: zoned and never missing
    naive: tuple[str, ...]  # times without a zone: a contract cannot have them
    since: datetime | None
    until: datetime | None
    order: str  # what 'first' and 'last' mean: the time column, or the file's order
    sorted_by_target: bool
    ranked: tuple[Association, ...]
    leaks: tuple[Leak, ...]
    drifts: tuple[Drift, ...]
    lasting: tuple[str, ...] = ()  # columns that rise or fall all the way, calendars too

    @property
    def null_values(self) -> tuple[str, ...]:
        """Texts that mean 'no value' in this file, the empty one always among them."""
        seen = {text for column in self.columns for text in column.markers}
        return tuple(sorted({"", *seen}))

    def column(self, name: str) -> Column:
        """Return one column."""
        return next(column for column in self.columns if column.name == name)

    @property
    def excluded(self) -> dict[str, str]:
        """Columns that should be no features, and why."""
        leaks = {leak.column: leak.why for leak in self.leaks}
        constant = {c.name: "holds one value only" for c in self.columns if c.constant}
        key = self.keys.chosen[0] if len(self.keys.chosen) == 1 else None
        plain = {n: why for n, why in constant.items() if self.column(n).type != "text"}
        numbers = {
            column.name: "a different number in every row: an identifier"
            for column in self.columns
            if column.type == "int" and column.distinct == self.rows.height > 50
        }
        found = {**plain, **numbers, **leaks}
        return {n: why for n, why in found.items() if n not in (self.target.column.name, key)}


def profile(table: Table, target: str) -> Profile:
    """Look at every column alone, at each with the target, and at the file from end to end.

    Raises:
        DataError: there is no such target, or nothing to learn from it.
    """
    if target not in table.rows.columns:
        raise DataError(
            f"{table.file}: has no column {target!r} to learn; --target is one of "
            f"{table.rows.columns}"
        )
    found = inspected(table)
    rows = columns.typed(table.rows, found)
    goal = task.understand(str(table.file), _named(found, target), rows[target])
    naive = tuple(c.name for c in found if c.naive_time)
    time = _event_time(found, [c.name for c in found if c.type == "time"])
    order = time or _event_time(found, naive)
    ordered = rows.sort(order, maintain_order=True) if order else rows
    ranked = association.rank(rows, found, goal)
    since, until = (rows[time].min(), rows[time].max()) if time else (None, None)
    drifts = drift.measure(ordered, found)
    by_target = order is None and any(d.column == target and d.psi > 1 for d in drifts)
    return Profile(
        table=table,
        rows=rows,
        columns=found,
        keys=keys.find(rows, found, target),
        target=goal,
        time=time,
        naive=naive,
        since=since if isinstance(since, datetime) else None,
        until=until if isinstance(until, datetime) else None,
        order=order or "the order of the file",
        sorted_by_target=by_target,
        ranked=tuple(ranked),
        leaks=tuple(association.leaks(rows, found, goal, ranked)),
        drifts=() if by_target else tuple(d for d in drifts if not ordered[d.column].is_sorted()),
        lasting=() if by_target else tuple(d.column for d in drifts if d.lasting),
    )


def inspected(table: Table) -> tuple[Column, ...]:
    """Inspect each column, then once more those that hold what others mean 'no value' by."""
    rows, types = table.rows, table.types
    first = [columns.inspect(name, rows[name], (), types.get(name)) for name in rows.columns]
    nulls = {text for column in first for text in column.markers} - set(columns.ALWAYS_NULL)
    return tuple(
        columns.inspect(c.name, rows[c.name], nulls)
        if nulls and c.name not in types and rows[c.name].is_in(sorted(nulls)).any()
        else c
        for c in first
    )


def _named(found: Sequence[Column], name: str) -> Column:
    return next(column for column in found if column.name == name)


def _event_time(found: Sequence[Column], among: Sequence[str]) -> str | None:
    """Return the time a row is about: never missing, named like one, with the most values."""
    may = [c for c in found if c.name in among and not c.missing and not c.odd_count]
    best = sorted(may, key=lambda c: (not _EVENT.search(c.name), -c.distinct))
    return best[0].name if best else None
