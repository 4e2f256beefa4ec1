"""Cast text to the contract's types in one pass; each row keeps its first reason, if any."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from trimtab.config import DatasetSpec
from trimtab.config.dataset import FALSE, TRUE, Column
from trimtab.data.reasons import RowReason
from trimtab.types import ROW

REASON, COLUMN = "_reason", "_column"
FINDINGS = {ROW: pl.Int64, REASON: pl.String, COLUMN: pl.String}

# Digits are spelled out: \d would let full-width digits through.
_INT = r"\A[+-]?[0-9]+\z"
_FLOAT = r"\A[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\z"
_NOT_FINITE = r"\A(?i)[+-]?(inf|infinity|nan)\z"
_NAIVE = r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-5][0-9](\.[0-9]+)?)?)?\z"
_ZONED = (
    r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-5][0-9](\.[0-9]{1,6})?)?"
    r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)\z"
)

TYPES: dict[str, pl.DataType] = {
    "int": pl.Int64(),
    "float": pl.Float64(),
    "text": pl.String(),
    "category": pl.String(),
    "bool": pl.Boolean(),
    "time": pl.Datetime("us", "UTC"),
}
Rule = tuple[RowReason, pl.Expr]


@dataclass(frozen=True)
class _Cell:
    value: pl.Expr  # in the contract's type, null where it cannot be
    rules: Sequence[Rule]  # in order: the first that holds is the reason


def cast(rows: pl.DataFrame, spec: DatasetSpec) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the good rows in the contract's types, and the findings about the others."""
    cells = {name: _cell(name, column, spec) for name, column in spec.columns.items()}
    reasons = {name: _first(cell.rules) for name, cell in cells.items()}
    culprits = [pl.when(why.is_not_null()).then(pl.lit(n)) for n, why in reasons.items()]
    judged = (
        rows.lazy()
        .select(
            *(cell.value.alias(name) for name, cell in cells.items()),
            ROW,
            pl.coalesce(*reasons.values()).alias(REASON),
            pl.coalesce(*culprits).alias(COLUMN),
        )
        .collect()
    )
    bad = judged.filter(pl.col(REASON).is_not_null()).select(*FINDINGS)
    return judged.filter(pl.col(REASON).is_null()).drop(REASON, COLUMN), bad


def full_match(pattern: str) -> str:
    """A regular expression that matches the whole text only."""
    return rf"\A(?:{pattern})\z"


def _cell(name: str, column: Column, spec: DatasetSpec) -> _Cell:
    text = pl.col(name)
    if spec.source.reading.null_values:
        text = pl.when(~text.is_in(list(spec.source.reading.null_values))).then(text)
    cell = _CASTS[column.type](text, column)
    missing = [] if column.nullable else [(RowReason.NULL_NOT_ALLOWED, text.is_null())]
    return _Cell(cell.value, [*missing, *cell.rules])


def _first(rules: Sequence[Rule]) -> pl.Expr:
    return pl.coalesce(
        pl.lit(None, pl.String), *(pl.when(holds).then(pl.lit(str(why))) for why, holds in rules)
    )


def _int(text: pl.Expr, column: Column) -> _Cell:
    value = _matching(text, _INT).cast(pl.Int64, strict=False)
    return _Cell(value, [_unreadable(text, value), *_range(value, column)])


def _float(text: pl.Expr, column: Column) -> _Cell:
    value = _matching(text, _FLOAT).cast(pl.Float64, strict=False)
    infinite = text.str.contains(_NOT_FINITE) | value.is_infinite()
    rules = [(RowReason.NOT_FINITE, infinite), _unreadable(text, value), *_range(value, column)]
    return _Cell(value, rules)


def _text(text: pl.Expr, column: Column) -> _Cell:
    rules: list[Rule] = []
    if column.values is not None:
        rules.append((RowReason.BAD_ENUM, ~text.is_in(list(column.values))))
    if column.pattern is not None:
        rules.append((RowReason.BAD_ENUM, ~text.str.contains(full_match(column.pattern))))
    return _Cell(text, rules)


def _bool(text: pl.Expr, _column: Column) -> _Cell:
    lower = text.str.to_lowercase()
    value = pl.when(lower.is_in(TRUE)).then(True).when(lower.is_in(FALSE)).then(False)
    return _Cell(value, [_unreadable(text, value)])


def _time(text: pl.Expr, _column: Column) -> _Cell:
    # one spelling for the parser: 'T' in the middle, seconds there, an offset at the end
    one = _matching(text, _ZONED).str.replace(" ", "T", literal=True).str.replace("Z$", "+00:00")
    one = one.str.replace(r"T([0-9]{2}:[0-9]{2})([+-])", "T${1}:00${2}")
    value = one.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%#z", strict=False, time_unit="us")
    naive = (RowReason.NAIVE_TIMESTAMP, text.str.contains(_NAIVE))
    return _Cell(value, [naive, _unreadable(text, value)])


_CASTS = {
    "int": _int,
    "float": _float,
    "text": _text,
    "category": _text,
    "bool": _bool,
    "time": _time,
}


def _matching(text: pl.Expr, pattern: str) -> pl.Expr:
    return pl.when(text.str.contains(pattern)).then(text)


def _unreadable(text: pl.Expr, value: pl.Expr) -> Rule:
    return RowReason.BAD_TYPE, text.is_not_null() & value.is_null()


def _range(value: pl.Expr, column: Column) -> list[Rule]:
    bounds = []
    if column.min is not None:
        bounds.append((RowReason.OUT_OF_RANGE, value < column.min))
    if column.max is not None:
        bounds.append((RowReason.OUT_OF_RANGE, value > column.max))
    return bounds
