"""How well each feature alone tells the target, on rows it has not seen; and who knows too much."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from trimtab.profiling.columns import Column
from trimtab.profiling.task import Target

SAMPLE = 50_000  # rows a feature is judged on
TOO_GOOD = {"binary": 0.985, "multiclass": 0.97, "regression": 0.98}
MEASURES = {
    "binary": "ROC AUC",
    "multiclass": "share of the largest class' errors it avoids",
    "regression": "R2",
}
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
    y = _labels(known[name], target)
    scores = [
        Association(column.name, _score(_numbers(known[column.name], column, y, target), y, target))
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
    return values.cast(pl.String).rank("dense").cast(pl.Int32).to_numpy()


def _numbers(values: pl.Series, column: Column, y: np.ndarray, target: Target) -> np.ndarray:
    """Return a feature as numbers a tree can cut: gaps far below, categories by their target."""
    if column.type == "category":
        return _encoded(values, y, target)
    numbers = values.cast(pl.Int64) if column.type == "time" else values
    floats = numbers.cast(pl.Float64).to_numpy()
    low = np.nanmin(floats) if np.isfinite(floats).any() else 0.0
    filled: np.ndarray = np.nan_to_num(floats, nan=low - 1 - abs(low))
    return filled.reshape(-1, 1)


def _encoded(values: pl.Series, y: np.ndarray, target: Target) -> np.ndarray:
    """Category to the mean of its target over the first half only; several for several classes."""
    half = len(y) // 2
    kinds = np.unique(y) if target.task == "multiclass" else np.array([0])
    texts, encoded = values.fill_null(""), []
    for kind in kinds:
        of = (y == kind) if target.task == "multiclass" else y
        seen = pl.DataFrame({"text": texts[:half], "y": of[:half].astype(float)})
        means = seen.group_by("text").agg(pl.col("y").mean())
        filled = texts.to_frame("text").join(means, on="text", how="left", maintain_order="left")
        encoded.append(filled["y"].fill_null(float(np.mean(of[:half]))).to_numpy())
    return np.column_stack(encoded)


def _score(x: np.ndarray, y: np.ndarray, target: Target) -> float:
    from sklearn.metrics import accuracy_score, r2_score, roc_auc_score
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    half = len(y) // 2
    least = max(2, half // 100)
    if target.task == "regression":
        tree = DecisionTreeRegressor(max_leaf_nodes=32, min_samples_leaf=least, random_state=0)
        return float(max(0.0, r2_score(y[half:], tree.fit(x[:half], y[:half]).predict(x[half:]))))
    tree = DecisionTreeClassifier(max_leaf_nodes=32, min_samples_leaf=least, random_state=0)
    if len(np.unique(y[:half])) < 2 or len(np.unique(y[half:])) < 2:
        return 0.0
    tree.fit(x[:half], y[:half])
    if target.task == "binary":
        return float(roc_auc_score(y[half:], tree.predict_proba(x[half:])[:, 1]))
    usual = float(np.mean(y[half:] == np.bincount(y[:half]).argmax()))
    right = float(accuracy_score(y[half:], tree.predict(x[half:])))
    return max(0.0, (right - usual) / (1 - usual)) if usual < 1 else 0.0
