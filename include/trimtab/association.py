"""How well one column alone tells the target, on rows it was not fitted on.

A shallow tree on that one column learns one half of the rows and is scored on the other. What a
new table is warned about and what the gate refuses are measured here, by the same limit.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

Kind = Literal["numeric", "categorical", "temporal"]
TOO_GOOD = {"binary": 0.985, "multiclass": 0.97, "regression": 0.98}  # from here on a leak suspect
MEASURES = {
    "binary": "ROC AUC",
    "multiclass": "share of the largest class' errors it avoids",
    "regression": "R2",
}
_LEAVES = 32
_MIN_SHARE = 100  # a leaf holds at least one in so many rows
_REPEATS = 5  # rows a category needs in the learning half to be told from the rare ones


@dataclass(frozen=True)
class Labels:
    """The target of some rows, and which of them are learned from; the others judge.

    ``y`` is 0 and 1 (binary), codes from 0 on (multiclass), or numbers (regression).
    """

    y: NDArray[np.generic]
    task: str
    learns: NDArray[np.bool_]

    @cached_property
    def usable(self) -> bool:
        """Whether both halves have something to tell apart."""
        halves = self.y[self.learns], self.y[~self.learns]
        return all(len(np.unique(half)) > 1 for half in halves)


def score(values: pl.Series, kind: Kind, labels: Labels) -> float:
    """Return ROC AUC, the share of errors avoided, or R2 of a column alone; 0 is the worst.

    NaN when the halves hold one class only. Identifiers do not score by being memorised: a
    category that is rare in the learning half is told apart from no other rare one.
    """
    if not labels.usable:
        return float("nan")
    return _judged(_numbers(values, kind, labels), labels)


def _numbers(values: pl.Series, kind: Kind, labels: Labels) -> NDArray[np.float64]:
    """Return a column as numbers a tree can cut: gaps far below, categories by their target."""
    if kind == "categorical":
        return _encoded(values, labels)
    if kind == "temporal":
        times = values.dt
        parts = [times.weekday(), times.hour().cast(pl.Int32) * 60 + times.minute()]
        return np.column_stack([_filled(part) for part in parts])
    return _filled(values).reshape(-1, 1)


def _filled(values: pl.Series) -> NDArray[np.float64]:
    floats = values.cast(pl.Float64).to_numpy()
    finite = floats[np.isfinite(floats)]
    low = float(finite.min()) if len(finite) else 0.0
    largest = float(np.finfo(np.float32).max)  # what a tree takes
    filled: NDArray[np.float64] = np.nan_to_num(floats, nan=low - 1 - abs(low))
    return np.clip(filled, -largest, largest)


def _encoded(values: pl.Series, labels: Labels) -> NDArray[np.float64]:
    """Category to the mean of its target over the learning half; one column for each class."""
    texts = values.cast(pl.String).fill_null("").to_frame("text")
    y, learns = labels.y, labels.learns
    targets = [y]
    if labels.task == "multiclass":
        targets = [y == code for code in range(int(y.max()) + 1)]
    columns = []
    for target in targets:
        seen = texts.with_columns(y=pl.Series(target.astype(float))).filter(pl.Series(learns))
        means = seen.group_by("text").agg(pl.col("y").mean(), n=pl.len())
        common = means.filter(pl.col("n") >= _REPEATS).drop("n")
        joined = texts.join(common, on="text", how="left", maintain_order="left")["y"]
        columns.append(joined.fill_null(float(target[learns].astype(float).mean())).to_numpy())
    return np.column_stack(columns)


def _judged(x: NDArray[np.float64], labels: Labels) -> float:
    from sklearn.metrics import accuracy_score, r2_score, roc_auc_score
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    y, learns, judges = labels.y, labels.learns, ~labels.learns
    least = max(2, int(learns.sum()) // _MIN_SHARE)
    family = DecisionTreeRegressor if labels.task == "regression" else DecisionTreeClassifier
    tree = family(max_leaf_nodes=_LEAVES, min_samples_leaf=least, random_state=0)
    tree.fit(x[learns], y[learns])
    if labels.task == "regression":
        return float(max(0.0, r2_score(y[judges], tree.predict(x[judges]))))
    if labels.task == "binary":
        return float(roc_auc_score(y[judges], tree.predict_proba(x[judges])[:, 1]))
    usual = float(np.mean(y[judges] == np.bincount(y[learns].astype(int)).argmax()))
    right = float(accuracy_score(y[judges], tree.predict(x[judges])))
    return max(0.0, (right - usual) / (1 - usual)) if usual < 1 else 0.0
