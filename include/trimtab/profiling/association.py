"""How well each feature alone tells the target, on rows it has not seen; and who knows too much."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from trimtab.association import MEASURES, TOO_GOOD, Kind, Labels, score
from trimtab.profiling.columns import Column
from trimtab.profiling.task import Target

SAMPLE = 50_000  # rows a feature is judged on
STRONG = {"binary": 0.9, "multiclass": 0.9, "regression": 0.7}  # worth a question
NULLS_MEET = 0.9  # rows null in both, of rows null in either
_LATER = re.compile(r"(_|\b)(after|outcome|result|resolved|closed|actual|final)(_|\b)", re.I)


@dataclass(frozen=True)
class Association:
    """One feature against the target; ``score`` by the task's measure, on held-out rows."""

    column: str
    score: float


@dataclass(frozen=True)
class Leak:
    """A column that may only be known once the target is."""

    column: str
    why: str


def rank(rows: pl.DataFrame, columns: Sequence[Column], target: Target) -> list[Association]:
    """Score every feature alone: a small tree on one half of the rows, judged on the other."""
    name = target.column.name
    known = rows.filter(pl.col(name).is_not_null())
    known = known.sample(min(known.height, SAMPLE), seed=0, shuffle=True)
    learns = np.arange(known.height) < known.height // 2
    labels = Labels(_labels(known[name], target), target.task, learns)
    scores = [
        Association(column.name, _known(score(known[column.name], _kind(column), labels)))
        for column in columns
        if column.name != name and column.type != "text" and not column.constant
    ]
    return sorted(scores, key=lambda found: -found.score)


def leaks(
    rows: pl.DataFrame, columns: Sequence[Column], target: Target, ranked: Sequence[Association]
) -> list[Leak]:
    """Name the columns a model should not see before a person has said why it may."""
    found = {a.column: f"alone it gives {_told(a, target)}" for a in ranked if _too_good(a, target)}
    name = target.column.name
    empty = rows[name].is_null()
    for column in columns:
        if column.name == name:
            continue
        if (both := _nulls_meet(rows[column.name].is_null(), empty)) >= NULLS_MEET:
            found.setdefault(
                column.name, f"is missing where {name} is ({both:.0%} of the rows with a gap)"
            )
        if _LATER.search(column.name) or (len(name) > 3 and name.lower() in column.name.lower()):
            found.setdefault(column.name, "its name says it is known afterwards")
    return [Leak(column, why) for column, why in found.items()]


def _told(found: Association, target: Target) -> str:
    return f"{MEASURES[target.task]} {found.score:.3f}"


def _too_good(found: Association, target: Target) -> bool:
    return found.score >= TOO_GOOD[target.task]


def _nulls_meet(left: pl.Series, right: pl.Series) -> float:
    either = int((left | right).sum())
    return int((left & right).sum()) / either if int(right.sum()) >= 5 else 0.0


def _labels(values: pl.Series, target: Target) -> np.ndarray:
    if target.task == "binary":
        return values.eq(target.positive).cast(pl.Int8).to_numpy()
    if target.task == "regression":
        return values.cast(pl.Float64).to_numpy()
    return (values.cast(pl.String).rank("dense").cast(pl.Int32) - 1).to_numpy()


def _kind(column: Column) -> Kind:
    if column.type == "time":
        return "temporal"
    return "categorical" if column.type == "category" else "numeric"


def _known(score: float) -> float:
    return 0.0 if np.isnan(score) else score
