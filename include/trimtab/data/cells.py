"""What a cell of each contract type must be: its value, when it is good, and what may be wrong."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from trimtab.config import DatasetSpec
from trimtab.config.dataset import FALSE, TRUE, Column
from trimtab.data.reasons import RowReason

# Digits are spelled out: \d would let full-width digits through.
_NAIVE = r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-5][0-9](\.[0-9]+)?)?)?\z"
_ZONED = (
    r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-5][0-9](\.[0-9]{1,6})?)?"
    r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)\z"
)
_PLAIN = r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9]Z\z"
# What a spreadsheet would run. A sign may also begin a number.
_FORMULA = r"\A(?:[=@]|[+-][A-Za-z(])"
_UTC = pl.Datetime("us", "UTC")
# The years Python knows: a zone may lead out of them, and Polars knows a year 0.
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
TEXT = "text of "  # prefix under which a column's original stands beside its value


@dataclass(frozen=True)
class Rule:
    """What may be wrong with a cell, asked of its value (and its text, where it has none)."""

    reason: RowReason
    holds: pl.Expr
    of_nulls: bool = False  # can hold only where there is no value


@dataclass(frozen=True)
class Context:
    """What the judgement of a file's rows rests on beside their text."""

    spec: DatasetSpec
    latest: datetime | None = None  # event time may not be later
    period: tuple[datetime, datetime] | None = None  # event time must lie in it, the end excluded


@dataclass(frozen=True)
class Cell:
    """One column of a block of rows."""

    value: pl.Expr  # of the original: in the contract's type, null where it cannot be
    rules: Sequence[Rule]  # in order: the first that holds is the reason


def cell(rows: pl.DataFrame, name: str, context: Context) -> Cell:
    """Compile the contract of one column for a block of rows.

    The value is made from the column itself; the rules are asked of a frame that has the value
    under the column's name and the original under ``TEXT`` + name.
    """
    column, spec = context.spec.columns.get(name), context.spec
    words = rows.schema[name] == pl.String()
    nothing = spec.source.reading.null_values if words else ()
    text, value = pl.col(TEXT + name), pl.col(name)
    missing = _missing(text, nothing)
    rules: list[Rule] = []
    if words:
        too_long = text.str.len_bytes() > spec.limits.max_cell
        rules.append(Rule(RowReason.OVERSIZED_CELL, too_long))
    if column is None:  # a column the file adds
        return Cell(_or_null(pl.col(name), nothing), rules)
    if column.type in ("text", "category"):
        if not column.nullable:  # what is missing makes the row bad, and need not become null
            rules.append(Rule(RowReason.NULL_NOT_ALLOWED, missing))
            return Cell(pl.col(name), [*rules, *_text(value, column, name, spec)])
        return Cell(_or_null(pl.col(name), nothing), [*rules, *_text(value, column, name, spec)])
    if not column.nullable:
        rules.append(Rule(RowReason.NULL_NOT_ALLOWED, missing, of_nulls=True))
    if column.type == "time" and words:
        rules.append(Rule(RowReason.NAIVE_TIMESTAMP, text.str.contains(_NAIVE), of_nulls=True))
    rules.append(Rule(RowReason.BAD_TYPE, ~missing & value.is_null(), of_nulls=True))
    if column.type == "time":
        rules += _event(value, name, context)
    else:
        rules += _range(value, column)
    return Cell(_value(rows, name, column, nothing), rules)


def _missing(text: pl.Expr, nothing: Sequence[str]) -> pl.Expr:
    if not nothing:
        return text.is_null()
    empty = text.str.len_bytes() == 0 if tuple(nothing) == ("",) else text.is_in(list(nothing))
    return empty.fill_null(True)


def _or_null(text: pl.Expr, nothing: Sequence[str]) -> pl.Expr:
    return pl.when(~_missing(text, nothing)).then(text) if nothing else text


def _value(rows: pl.DataFrame, name: str, column: Column, nothing: Sequence[str]) -> pl.Expr:
    text, words = pl.col(name), rows.schema[name] == pl.String()
    if any(nothing):  # '' is no number, no truth and no time anyway
        text = _or_null(text, nothing)
    if column.type == "time":
        moment = _time(rows, name, text) if words else text.cast(_UTC)
        first, last = (pl.lit(end).cast(_UTC) for end in (_FIRST, _LAST))
        return pl.when(moment.is_between(first, last)).then(moment)
    if column.type == "bool":
        return _bool(text) if words else text.cast(pl.Boolean)
    # Polars takes for numbers what we call numbers, and inf and nan (a test tells)
    return text.cast(pl.Int64 if column.type == "int" else pl.Float64, strict=False)


def _range(value: pl.Expr, column: Column) -> Iterator[Rule]:
    if column.type == "float":
        yield Rule(RowReason.NOT_FINITE, ~value.is_finite())
    if column.min is not None:
        yield Rule(RowReason.OUT_OF_RANGE, value < column.min)
    if column.max is not None:
        yield Rule(RowReason.OUT_OF_RANGE, value > column.max)


def _text(value: pl.Expr, column: Column, name: str, spec: DatasetSpec) -> Iterator[Rule]:
    listed = None if column.values is None else value.is_in(list(column.values))
    if not spec.limits.formulas:
        formula = value.str.contains(_FORMULA)
        yield Rule(RowReason.FORMULA_INJECTION, formula if listed is None else formula & ~listed)
    if listed is not None:
        yield Rule(RowReason.BAD_ENUM, ~listed)
    if column.pattern is not None:
        why = RowReason.BAD_ID_FORMAT if name in spec.key else RowReason.BAD_ENUM
        yield Rule(why, ~value.str.contains(full_match(column.pattern)))


def _bool(text: pl.Expr) -> pl.Expr:
    lower = text.str.to_lowercase()
    return pl.when(lower.is_in(TRUE)).then(True).when(lower.is_in(FALSE)).then(False)


def _time(rows: pl.DataFrame, name: str, text: pl.Expr) -> pl.Expr:
    """Text with a zone as a moment in UTC. The usual form is read in a fifth of the time."""
    if rows.select(pl.col(name).str.contains(_PLAIN).all()).item():
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
        yield Rule(RowReason.FUTURE_TIMESTAMP, value > pl.lit(context.latest).cast(_UTC))
    if context.period:
        first, end = (pl.lit(moment).cast(_UTC) for moment in context.period)
        yield Rule(RowReason.OUTSIDE_PARTITION, (value < first) | (value >= end))


def full_match(pattern: str) -> str:
    """A regular expression that matches the whole text only."""
    return rf"\A(?:{pattern})\z"
