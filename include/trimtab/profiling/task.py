"""What there is to learn: the kind of target, its positive class, how rare it is."""

from dataclasses import dataclass

import polars as pl

from trimtab.config.model import Task
from trimtab.errors import DataError
from trimtab.profiling.columns import Column

FEW_CLASSES = 10  # whole numbers of at most so many different values are classes
RARE = 0.1  # below this share of positives, average precision decides instead of ROC AUC
_POSITIVE = ("yes", "true", "1", "y", "t", "positive", "pos", "bad", "fraud", "late", "churn")


@dataclass(frozen=True)
class Target:
    """The learning task of one column."""

    column: Column
    task: Task
    positive: str | bool | int | None = None
    share: float | None = None  # of positives, or of the largest class
    why: str = ""

    @property
    def rare(self) -> bool:
        """Whether positives are so few that ROC AUC flatters."""
        return self.task == "binary" and self.share is not None and self.share < RARE


def understand(file: str, column: Column, values: pl.Series) -> Target:
    """Say which task predicting ``column`` is.

    Raises:
        DataError: there is nothing to learn from this column.
    """
    known = values.drop_nulls()
    counts = known.alias("class").value_counts(sort=True, name="n")
    classes = counts["class"].to_list()
    if len(classes) < 2:
        raise DataError(
            f"{file}: target {column.name} has {len(classes)} different value(s) in "
            f"{column.rows:,} rows; there is nothing to tell apart, choose another --target"
        )
    if column.type == "time" or column.naive_time:
        raise DataError(f"{file}: target {column.name} is a time; choose a number or a class")
    most = int(counts["n"][0]) / known.len()
    if len(classes) == 2:
        positive = _positive(classes)
        share = int(known.eq(positive).sum()) / known.len()
        why = f"two values; positive is {_said(positive)}, {share:.1%} of the rows"
        return Target(column, "binary", positive, share, why)
    if column.numeric and not (column.type == "int" and len(classes) <= FEW_CLASSES):
        return Target(column, "regression", why=f"a number of {len(classes):,} different values")
    if column.type == "text":
        raise DataError(
            f"{file}: target {column.name} is text of {len(classes):,} different values; "
            "a class needs several rows each, choose another --target"
        )
    what = "whole numbers are taken for classes" if column.numeric else "classes"
    why = f"{len(classes)} {what}, the largest has {most:.1%} of the rows"
    return Target(column, "multiclass", None, most, why)


def _positive(classes: list[str | bool | int]) -> str | bool | int:
    """Return the class a person would call positive, else the rarer one (they come last)."""
    if all(isinstance(value, bool) for value in classes):
        return True
    if all(isinstance(value, int | float) for value in classes):
        return max(classes, key=float)
    named = [value for value in classes if str(value).lower() in _POSITIVE]
    return named[0] if len(named) == 1 else classes[-1]


def _said(value: str | bool | int) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
