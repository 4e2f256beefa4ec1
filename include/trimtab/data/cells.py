"""What a cell of each contract type must be: its value, when it is good, and what may be wrong."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from trimtab.config import DatasetSpec
from trimtab.config.dataset import FALSE, TRUE, Column
from trimtab.data.reasons import RowReason

# Digits are spelled out: \d would let full-width digits through.
_NOT_FINITE = r"\A(?i)[+-]?(inf|infinity|nan)\z"
_NAIVE = r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-5][0-9](\.[0-9]+)?)?)?\z"
_ZONED = (
    r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-5][0-9](\.[0-9]{1,6})?)?"
    r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)\z"
)
_PLAIN = r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9]Z\z"
# What a spreadsheet would run. A sign may also begin a number.
_FORMULA = r"\A(?:[=@]|[+-][A-Za-z(])"
_UTC = pl.Datetime("us", "UTC")
Rule = tuple[RowReason, pl.Expr]


@dataclass(frozen=True)
class Context:
    """What the judgement of a file's rows rests on beside their text."""

    spec: DatasetSpec
    latest: datetime | None = None  # event time may not be later
    period: tuple[datetime, datetime] | None = None  # event time must lie in it, the end excluded


@dataclass(frozen=True)
class Cell:
    """One column of a block of rows."""

    value: pl.Expr  # in the contract's type, null where it cannot be
    rules: Sequence[Rule]  # in order: the first that holds is the reason


def cell(rows: pl.DataFrame, name: str, context: Context) -> Cell:
    """Compile the contract of one column for a block of rows."""
    column, spec = context.spec.columns.get(name), context.spec
    kind = rows.schema[name]
    text = given = pl.col(name)
    if kind == pl.String() and (nothing := spec.source.reading.null_values):
        text = pl.when(~given.is_in(list(nothing))).then(given)
    rules: list[Rule] = []
    if kind == pl.String():
        rules.append((RowReason.OVERSIZED_CELL, given.str.len_bytes() > spec.limits.max_cell))
    if column is None:  # a column the file adds
        return Cell(text, rules)
    if not column.nullable:
        rules.append((RowReason.NULL_NOT_ALLOWED, text.is_null()))
    if column.type in ("text", "category"):
        return Cell(text, [*rules, *_text(text, column, name, spec)])
    if column.type == "bool":
        value = _bool(text) if kind == pl.String() else text
        return Cell(value, [*rules, _unreadable(text, value)])
    if column.type == "time":
        value = _time(rows, name, text)
        if kind == pl.String():
            rules.append((RowReason.NAIVE_TIMESTAMP, text.str.contains(_NAIVE)))
        return Cell(value, [*rules, _unreadable(text, value), *_event(value, name, context)])
    return _number(text, column, rules)


def _number(text: pl.Expr, column: Column, before: Sequence[Rule]) -> Cell:
    """Polars reads as numbers what we call numbers, and inf and nan (a test tells)."""
    value = text.cast(pl.Int64 if column.type == "int" else pl.Float64, strict=False)
    rules = [*before]
    if column.type == "float":
        infinite = value.is_infinite() | value.is_nan()
        rules.append((RowReason.NOT_FINITE, infinite))
    rules.append(_unreadable(text, value))
    if column.min is not None:
        rules.append((RowReason.OUT_OF_RANGE, value < column.min))
    if column.max is not None:
        rules.append((RowReason.OUT_OF_RANGE, value > column.max))
    return Cell(value, rules)


def _text(text: pl.Expr, column: Column, name: str, spec: DatasetSpec) -> Iterator[Rule]:
    listed = None if column.values is None else text.is_in(list(column.values))
    if not spec.limits.formulas:
        formula = text.str.contains(_FORMULA)
        yield RowReason.FORMULA_INJECTION, formula if listed is None else formula & ~listed
    if listed is not None:
        yield RowReason.BAD_ENUM, ~listed
    if column.pattern is not None:
        why = RowReason.BAD_ID_FORMAT if name in spec.key else RowReason.BAD_ENUM
        yield why, ~text.str.contains(full_match(column.pattern))


def _bool(text: pl.Expr) -> pl.Expr:
    lower = text.str.to_lowercase()
    return pl.when(lower.is_in(TRUE)).then(True).when(lower.is_in(FALSE)).then(False)


def _time(rows: pl.DataFrame, name: str, text: pl.Expr) -> pl.Expr:
    """Text with a zone as a moment in UTC. The usual form is read in a fifth of the time."""
    if rows.schema[name] != pl.String():
        return text.cast(_UTC)
    plain = rows.lazy().select(pl.col(name).str.contains(_PLAIN).all()).collect().item()
    if plain:
        naive = text.str.to_datetime("%Y-%m-%dT%H:%M:%SZ", strict=False, time_unit="us")
        return naive.dt.replace_time_zone("UTC")
    # one spelling for the parser: 'T' in the middle, seconds there, an offset at the end
    zoned = pl.when(text.str.contains(_ZONED)).then(text)
    one = zoned.str.replace(" ", "T", literal=True).str.replace("Z$", "+00:00")
    one = one.str.replace(r"T([0-9]{2}:[0-9]{2})([+-])", "T${1}:00${2}")
    return one.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%#z", strict=False, time_unit="us")


def _event(value: pl.Expr, name: str, context: Context) -> Iterator[Rule]:
    if name != context.spec.time:
        return
    if context.latest:
        yield RowReason.FUTURE_TIMESTAMP, value > pl.lit(context.latest).cast(_UTC)
    if context.period:
        first, end = (pl.lit(moment).cast(_UTC) for moment in context.period)
        yield RowReason.OUTSIDE_PARTITION, (value < first) | (value >= end)


def full_match(pattern: str) -> str:
    """A regular expression that matches the whole text only."""
    return rf"\A(?:{pattern})\z"


def _unreadable(text: pl.Expr, value: pl.Expr) -> Rule:
    return RowReason.BAD_TYPE, text.is_not_null() & value.is_null()
