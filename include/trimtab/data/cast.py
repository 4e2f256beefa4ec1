"""Cast text to the contract's types in one pass; each bad row keeps its first reason.

Every row is cast once and asked one question: is all of it good? Why not is asked of the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from trimtab.config import DatasetSpec
from trimtab.data import cells
from trimtab.data.cells import Cell, Context
from trimtab.data.reasons import RowReason
from trimtab.data.text import COLUMN, FINDINGS, REASON, Text
from trimtab.types import FILE, PARTITION, ROW

__all__ = ["COLUMN", "FINDINGS", "REASON", "TYPES", "Cast", "cast", "schema"]

TYPES: dict[str, pl.DataType] = {
    "int": pl.Int64(),
    "float": pl.Float64(),
    "text": pl.String(),
    "category": pl.String(),
    "bool": pl.Boolean(),
    "time": pl.Datetime("us", "UTC"),
}
_PERIODS = {"day": "%Y-%m-%d", "month": "%Y-%m"}
_GOOD = "_good"


@dataclass(frozen=True)
class Cast:
    """Good rows in the contract's types with the system columns; bad ones as they were written."""

    good: pl.DataFrame
    bad: pl.DataFrame  # with _reason and _column


def schema(spec: DatasetSpec, columns: Sequence[str]) -> dict[str, pl.DataType]:
    """The types of good rows: the contract's columns, added ones as text, the system columns."""
    types = {name: TYPES[column.type] for name, column in spec.columns.items()}
    more = {name: pl.String() for name in columns if name not in types}
    return {**types, **more, ROW: pl.Int64(), FILE: pl.String(), PARTITION: pl.String()}


def cast(text: Text, context: Context, *, sha256: str, stem: str) -> Cast:
    """Judge the rows of one block by the contract."""
    rows, spec = text.rows, context.spec
    types = schema(spec, [name for name in rows.columns if name != ROW])
    made = {name: cells.cell(rows, name, context) for name in types if name in rows.columns}
    made.pop(ROW)
    rules = [holds for cell in made.values() for _, holds in cell.rules]
    good = ~pl.any_horizontal(pl.lit(False), *(holds.fill_null(False) for holds in rules))
    judged = rows.lazy().select(
        *(cell.value.alias(name) for name, cell in made.items()), ROW, good.alias(_GOOD)
    )
    values = judged.collect()
    doubtful = ~values[_GOOD]
    if text.findings.height:
        doubtful |= rows[ROW].is_in(text.findings[ROW].implode())
    if doubtful.any():
        values = values.filter(~doubtful)
        bad = _told(rows.filter(doubtful), made, text.findings)
    else:
        bad = rows.clear().with_columns(pl.lit("").alias(REASON), pl.lit("").alias(COLUMN))
    whole = values.drop(_GOOD).with_columns(
        pl.lit(sha256).alias(FILE), _partition(values, spec, stem).alias(PARTITION)
    )
    return Cast(whole.select(list(types)), bad)


def _told(bad: pl.DataFrame, made: dict[str, Cell], known: pl.DataFrame) -> pl.DataFrame:
    """Add to each bad row its first reason, and the column it lies in."""
    reasons = {name: _first(cell.rules) for name, cell in made.items()}
    culprits = [pl.when(why.is_not_null()).then(pl.lit(n)) for n, why in reasons.items()]
    told = bad.with_columns(
        pl.coalesce(*reasons.values()).alias(REASON), pl.coalesce(*culprits).alias(COLUMN)
    )
    if not known.height:
        return told
    return told.update(known.select(*FINDINGS).unique(ROW), on=ROW)


def _first(rules: Sequence[tuple[RowReason, pl.Expr]]) -> pl.Expr:
    return pl.coalesce(
        pl.lit(None, pl.String), *(pl.when(holds).then(pl.lit(str(why))) for why, holds in rules)
    )


def _partition(rows: pl.DataFrame, spec: DatasetSpec, stem: str) -> pl.Expr:
    if spec.partition == "file" or spec.time is None:
        return pl.lit(stem)
    day = rows[spec.time].dt.date()
    days = day.unique()
    names = days.dt.strftime(_PERIODS[spec.partition])
    if names.n_unique() == 1:
        return pl.lit(names[0])
    return pl.lit(day.replace_strict(days, names, return_dtype=pl.String()))
