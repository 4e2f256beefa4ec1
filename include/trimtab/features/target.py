"""The target: what a row's label is, and whether it can be known yet."""

from datetime import datetime

import polars as pl

from trimtab.config.dataset import Column
from trimtab.config.model import Target, Task
from trimtab.errors import DataError
from trimtab.types import TARGET


def label(target: Target, task: Task, column: Column) -> pl.Expr:
    """Return the ``_target`` of a row: 0 or 1, a number, or a class as text; null stays null."""
    value = pl.col(target.column)
    if target.at_least is not None:
        made = (value >= target.at_least).cast(pl.Int8)
    elif target.positive is not None:
        made = (value == _positive(target, column)).cast(pl.Int8)
    elif task == "binary":
        made = value.cast(pl.Float64)  # 2 must not become True
    elif task == "regression":
        made = value.cast(pl.Float64).fill_nan(None)
    else:
        made = value.cast(pl.String)
    return made.alias(TARGET)


def _positive(target: Target, column: Column) -> pl.Expr:
    value = target.positive
    if column.type in ("text", "category"):
        return pl.lit(str(value))
    return pl.lit(bool(value)) if column.type == "bool" else pl.lit(float(value or 0))


def known(target: Target, time: str | None, newest: datetime | None) -> pl.Expr:
    """Whether the label of a row can be known at ``newest``: its time plus the delay has come."""
    if time is None or newest is None:
        return pl.lit(True)
    return (pl.col(time) + target.delay) <= pl.lit(newest)


def checked(rows: pl.DataFrame, target: Target, task: Task) -> pl.DataFrame:
    """Return the rows with the target in its final type.

    Raises:
        DataError: a binary target holds something other than 0 and 1.
    """
    if task != "binary":
        return rows
    odd = rows.filter(~((pl.col(TARGET) == 0) | (pl.col(TARGET) == 1)))
    if odd.height:
        seen = odd[TARGET].unique().sort().head(5).to_list()
        raise DataError(
            f"target {target.column} of a binary model holds {seen} beside 0 and 1; "
            "set target.at_least or target.positive, or another task"
        )
    return rows.with_columns(pl.col(TARGET).cast(pl.Int8))
