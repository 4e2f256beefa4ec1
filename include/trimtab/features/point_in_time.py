"""The join on event time and known time: of each row, the newest that had happened and was known.

A row of the table is seen from ``since`` on, the later of its event time and its known time. The
table is sorted once by (entity, since); of it stays the staircase, the rows that are not older in
event time than one of their entity that was seen before. On the staircase the newest visible row
is the last one, so that one as-of join on ``since`` finds it. Entity and time are packed into one
64-bit number, so that nothing but such numbers is sorted and compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import polars as pl

_CODE, _POSITION, _MOMENT, _PACKED, _EVENT = "_code", "_position", "_moment", "_packed", "_event"
_LARGEST = 2**63 - 1
_UNITS = (1, 1_000, 1_000_000)  # microseconds; whole seconds need 20 bits less
_FOUND = "_found"


def match(
    rows: pl.DataFrame,
    by: Sequence[str],
    at: str,
    table: pl.DataFrame,
    entity: Sequence[str],
    time: str,
    known: str | None = None,
    *,
    order: Sequence[str] = (),
    max_age: timedelta | None = None,
) -> pl.Series:
    """Return for each of ``rows`` the position in ``table`` of the row it sees; null for none.

    Args:
        rows: with the entity's columns ``by`` and the time ``at``; a null in them finds nothing.
        by: in the order of ``entity``.
        at: the moment of a row.
        table: without nulls in ``entity``, ``time`` and ``known``.
        entity: columns that name the entity.
        time: event time.
        known: when a row became known; without it a row is known when it happens.
        order: columns that decide between rows of equal entity, event time and known time, the
            greatest wins; then the later position.
        max_age: the newest visible row counts as missing when its event time is older.
    """
    left, right = _coded(rows, by, table, entity)
    left = left.with_columns(rows[at].dt.epoch("us").alias(_MOMENT))
    times = [table[time].dt.epoch("us"), *([table[known].dt.epoch("us")] if known else [])]
    since = times[0] if known is None else pl.select(pl.max_horizontal(*times)).to_series()
    right = right.with_columns(since.alias(_MOMENT))
    if not right.height or not left.height:
        return pl.Series(_FOUND, [None] * left.height, dtype=pl.UInt32)
    scale = _scale(right, times[0])
    steps = _steps(right, scale, times, table.select(order))
    found = _last(left, steps, scale)
    return _young(found, rows[at], table[time], max_age) if max_age is not None else found


@dataclass(frozen=True)
class _Scale:
    """How a code and a moment become one number: code * span + (moment - first) // unit."""

    first: int
    span: int
    unit: int
    ranks: pl.Series | None = None  # the moments themselves, when their span is too wide

    def clock(self, moment: pl.Series) -> pl.Series:
        """Moments as small numbers in the same order, at most the last one of the table."""
        if self.ranks is not None:
            place = np.searchsorted(self.ranks.to_numpy(), moment.to_numpy(), side="right") - 1
            return pl.Series(place.astype(np.int64))
        return ((moment - self.first) // self.unit).clip(upper_bound=self.span - 1)

    def packed(self, codes: pl.Series, moment: pl.Series) -> pl.Series:
        """Code and moment as one number."""
        return codes.cast(pl.Int64) * self.span + self.clock(moment)


def _scale(right: pl.DataFrame, times: pl.Series) -> _Scale:
    codes = _number(right[_CODE].max()) + 1
    first, last = min(_number(times.min()), _number(right[_MOMENT].min())), right[_MOMENT].max()
    for unit in _UNITS:
        if any((moments % unit != 0).any() for moments in (times, right[_MOMENT])):
            break
        span = (_number(last) - first) // unit + 1
        if codes * span <= _LARGEST:
            return _Scale(first, span, unit)
    ranks = pl.concat([times, right[_MOMENT]]).unique().sort()
    return _Scale(first, ranks.len(), 1, ranks)


def _number(value: object) -> int:
    return int(value)  # type: ignore[call-overload,no-any-return]


def _coded(
    rows: pl.DataFrame, by: Sequence[str], table: pl.DataFrame, entity: Sequence[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Number the entities of the table; a row whose entity is not there has no number."""
    if len(by) == 1 and (plain := _plain(rows[by[0]], table[entity[0]])):
        return plain
    names = [f"_{i}" for i in range(len(entity))]
    ours = rows.select(pl.col(name).alias(key) for name, key in zip(by, names, strict=True))
    theirs = table.select(pl.col(name).alias(key) for name, key in zip(entity, names, strict=True))
    numbers = theirs.unique(maintain_order=True).with_row_index(_CODE)
    left = ours.join(numbers, on=names, how="left", maintain_order="left")
    right = theirs.join(numbers, on=names, how="left", maintain_order="left")
    return left.select(_CODE), right.select(_CODE)


def _plain(ours: pl.Series, theirs: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame] | None:
    """Whole numbers that lie close together are their own code."""
    if not (ours.dtype.is_integer() and theirs.dtype.is_integer() and theirs.len()):
        return None
    low, high = _number(theirs.min()), _number(theirs.max())
    if high - low > 4 * theirs.len():
        return None
    inside = pl.when(ours.is_between(low, high)).then(ours.cast(pl.Int64, strict=False) - low)
    return (
        pl.select(inside.alias(_CODE)),
        pl.select((theirs.cast(pl.Int64) - low).alias(_CODE)),
    )


def _steps(
    right: pl.DataFrame, scale: _Scale, times: list[pl.Series], order: pl.DataFrame
) -> pl.DataFrame:
    """The staircase: ``_packed`` of entity and moment, sorted and unique, and the position."""
    steps = pl.DataFrame(
        {
            _PACKED: scale.packed(right[_CODE], right[_MOMENT]),
            _POSITION: pl.int_range(right.height, dtype=pl.UInt32, eager=True),
        }
    ).sort(_PACKED)
    steps = _unique(steps, times, order)
    if len(times) == 1:
        return steps
    # Entity and event time as one number: an entity's own are above all those before it, so that
    # the running maximum begins anew with each entity by itself.
    event = scale.packed(right[_CODE], times[0]).gather(steps[_POSITION])
    return steps.filter(event >= event.cum_max())


def _unique(steps: pl.DataFrame, times: list[pl.Series], order: pl.DataFrame) -> pl.DataFrame:
    """Of rows that are seen from the same moment on keep the newest, the latest published."""
    packed = steps[_PACKED]
    same = (packed == packed.shift(-1)).fill_null(value=False)
    if not same.any():
        return steps
    twins = steps.filter(same | same.shift(1, fill_value=False))
    ranked = [*(f"_time{i}" for i in range(len(times))), *order.columns, _POSITION]
    best = (
        twins.with_columns(
            *(t.gather(twins[_POSITION]).alias(f"_time{i}") for i, t in enumerate(times)),
            *order[twins[_POSITION]].get_columns(),
        )
        .sort(_PACKED, *ranked)
        .unique(_PACKED, keep="last", maintain_order=True)
        .select(steps.columns)
    )
    alone = steps.filter(~(same | same.shift(1, fill_value=False)))
    return pl.concat([alone, best]).sort(_PACKED)


def _last(left: pl.DataFrame, steps: pl.DataFrame, scale: _Scale) -> pl.Series:
    """Find for each row the last step of its entity at or before its moment."""
    asked = left.with_row_index(_POSITION).drop_nulls().filter(pl.col(_MOMENT) >= scale.first)
    wanted = pl.DataFrame(
        {_PACKED: scale.packed(asked[_CODE], asked[_MOMENT]), "_row": asked[_POSITION]}
    ).sort(_PACKED)
    there = steps.with_columns(pl.col(_PACKED).alias("_step"))
    near = wanted.join_asof(there, on=_PACKED, check_sortedness=False).filter(
        pl.col("_step") // scale.span == pl.col(_PACKED) // scale.span
    )
    places = np.full(left.height, -1, dtype=np.int64)
    places[near["_row"].to_numpy()] = near[_POSITION].to_numpy()
    found = pl.Series(_FOUND, places)
    return pl.select(pl.when(found >= 0).then(found).cast(pl.UInt32)).to_series().alias(_FOUND)


def _young(found: pl.Series, at: pl.Series, time: pl.Series, max_age: timedelta) -> pl.Series:
    age = at - time.gather(found)
    return pl.select(pl.when(age <= max_age).then(found)).to_series().alias(_FOUND)
