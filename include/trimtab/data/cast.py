"""Cast text to the contract's types in one pass; each bad row keeps its first reason.

Every row is cast once and asked one question: is all of it good? Why not is asked of the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from trimtab.config import DatasetSpec
from trimtab.data import cells
from trimtab.data.cells import Cell, Context, Rule
from trimtab.data.text import COLUMN, REASON, Text
from trimtab.dtypes import TYPES
from trimtab.types import FILE, PARTITION, ROW

_PERIODS = {"day": "%Y-%m-%d", "month": "%Y-%m"}


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
    given = [name for name in rows.columns if name != ROW]
    types = schema(spec, given)
    made = {name: cells.cell(rows, name, context) for name in types if name in given}
    values = rows.select(*(cell.value.alias(name) for name, cell in made.items()), ROW)
    doubtful = _doubtful(values, rows, made)
    if text.findings.height:
        doubtful |= rows[ROW].is_in(text.findings[ROW].implode())
    bad = rows.clear().with_columns(pl.lit("").alias(REASON), pl.lit("").alias(COLUMN))
    if doubtful.any():
        bad = _told(values.filter(doubtful), rows.filter(doubtful), made, text.findings)
        values = values.filter(~doubtful)
    good = values.with_columns(
        pl.lit(sha256).alias(FILE), _partition(values, spec, stem).alias(PARTITION)
    )
    return Cast(good.select(list(types)), bad)


def _doubtful(values: pl.DataFrame, rows: pl.DataFrame, made: dict[str, Cell]) -> pl.Series:
    """Ask only the rules that can hold in this block; row by row only those that do hold."""
    rules = [
        rule.holds.fill_null(False)
        for name, cell in made.items()
        for rule in cell.rules
        if not rule.of_nulls or values[name].null_count()
    ]
    both = _beside(values, rows)
    # one expression each: Polars computes them side by side, and a whole `or` by one core
    told = both.select(rule.any().alias(str(i)) for i, rule in enumerate(rules))
    broken = [rule for i, rule in enumerate(rules) if told[str(i)].item()]
    asked = both.select(pl.any_horizontal(pl.repeat(False, pl.len()), *broken).alias("doubtful"))
    return asked["doubtful"]


def _beside(values: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Values under the columns' names, originals under their names with a prefix."""
    return values.hstack(rows.drop(ROW).rename(lambda name: cells.TEXT + name))


def _told(
    values: pl.DataFrame, bad: pl.DataFrame, made: dict[str, Cell], known: pl.DataFrame
) -> pl.DataFrame:
    """Add to each bad row its first reason, and the column it lies in."""
    reasons = {name: _first(cell.rules) for name, cell in made.items()}
    culprits = [pl.when(why.is_not_null()).then(pl.lit(n)) for n, why in reasons.items()]
    told = _beside(values, bad).select(
        pl.coalesce(*reasons.values()).alias(REASON), pl.coalesce(*culprits).alias(COLUMN)
    )
    whole = bad.hstack(told)
    return whole.update(known.unique(ROW), on=ROW) if known.height else whole


def _first(rules: Sequence[Rule]) -> pl.Expr:
    whys = [pl.when(rule.holds).then(pl.lit(str(rule.reason))) for rule in rules]
    return pl.coalesce(pl.lit(None, pl.String), *whys)


def _partition(rows: pl.DataFrame, spec: DatasetSpec, stem: str) -> pl.Expr:
    if spec.partition == "file" or spec.time is None:
        return pl.lit(stem)
    day = rows[spec.time].dt.date()
    days = day.unique()
    names = days.dt.strftime(_PERIODS[spec.partition])
    if names.n_unique() <= 1:
        return pl.lit(names.first(), pl.String)
    return pl.lit(day.replace_strict(days, names, return_dtype=pl.String()))
