"""Metrics by their scikit-learn names, on arrays. Higher is better for every one of them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn import metrics as sk

Weights = np.ndarray | None
Scorer = Callable[[np.ndarray, np.ndarray, Sequence[Any] | None, Weights], float]
THRESHOLD = 0.5  # of P(positive), for metrics of decided labels
LEAST = float(np.finfo(float).eps)  # probability a log loss counts with, as in scikit-learn


def score(
    name: str,
    y: np.ndarray,
    prediction: np.ndarray,
    classes: Sequence[Any] | None = None,
    weights: Weights = None,
) -> float:
    """Return one metric; NaN when it does not exist on these rows (for example one class only).

    Args:
        name: one of ``config.model.METRICS``.
        y: labels, (n,); 0 and 1 for a binary task.
        prediction: P(positive) (n,), class probabilities (n, k), or values (n,).
        classes: the k labels of a multiclass prediction's columns.
        weights: how much each row counts, (n,).
    """
    if len(y) == 0 or not np.isfinite(prediction).all():
        return float("nan")
    try:
        return float(_SCORERS[name](y, prediction, classes, weights))
    except (ValueError, ZeroDivisionError):  # the second: no row has weight
        return float("nan")


def _both(y: np.ndarray, weights: Weights) -> None:
    if len(np.unique(y if weights is None else y[np.asarray(weights) > 0])) < 2:
        raise ValueError("only one class")


def _roc_auc(y: np.ndarray, p: np.ndarray, _: Sequence[Any] | None, w: Weights) -> float:
    """Share of pairs in the right order, ties half; scikit-learn's value in a tenth of its time."""
    _both(y, w)
    order = np.argsort(p, kind="stable")
    heavy = np.ones(len(y)) if w is None else np.asarray(w, dtype=float)[order]
    positive = np.where(y[order] == 1, heavy, 0.0)
    first = np.flatnonzero(np.r_[True, np.diff(p[order]) != 0])  # of each run of equal scores
    up, down = np.add.reduceat(positive, first), np.add.reduceat(heavy - positive, first)
    return float(up @ (np.cumsum(down) - down / 2) / (up.sum() * down.sum()))


def _average_precision(y: np.ndarray, p: np.ndarray, _: Sequence[Any] | None, w: Weights) -> float:
    _both(y, w)
    return float(sk.average_precision_score(y, p, sample_weight=w))


def _labels(p: np.ndarray, classes: Sequence[Any] | None) -> np.ndarray:
    if p.ndim == 1:
        return (p >= THRESHOLD).astype(int)
    if classes is None:
        raise TypeError("class probabilities need their classes")
    labels: np.ndarray = np.asarray(classes)[p.argmax(axis=1)]
    return labels


def _neg_log_loss(y: np.ndarray, p: np.ndarray, classes: Sequence[Any] | None, w: Weights) -> float:
    """scikit-learn's, but that a class the model never saw costs as a certain error."""
    chances = p if p.ndim == 2 else np.column_stack([1 - p, p])
    column = {
        label: i for i, label in enumerate((0, 1) if p.ndim == 1 or classes is None else classes)
    }
    truth = np.array([column.get(label, -1) for label in y.tolist()])
    given = np.where(truth >= 0, chances[np.arange(len(y)), truth], 0.0)
    return float(np.average(np.log(np.clip(given, LEAST, 1.0)), weights=w))


def _f1(y: np.ndarray, p: np.ndarray, w: Weights, average: str) -> float:
    return float(sk.f1_score(y, p, average=average, zero_division=0.0, sample_weight=w))


_SCORERS: dict[str, Scorer] = {
    "roc_auc": _roc_auc,
    "average_precision": _average_precision,
    "accuracy": lambda y, p, c, w: sk.accuracy_score(y, _labels(p, c), sample_weight=w),
    "f1": lambda y, p, c, w: _f1(y, _labels(p, c), w, "binary"),
    "f1_macro": lambda y, p, c, w: _f1(y, _labels(p, c), w, "macro"),
    "neg_log_loss": _neg_log_loss,
    "neg_brier_score": lambda y, p, _, w: -sk.brier_score_loss(y, p, sample_weight=w),
    "r2": lambda y, p, _, w: sk.r2_score(y, p, sample_weight=w),
    "neg_mean_absolute_error": lambda y, p, _, w: -sk.mean_absolute_error(y, p, sample_weight=w),
    "neg_root_mean_squared_error": lambda y, p, _, w: (
        -sk.root_mean_squared_error(y, p, sample_weight=w)
    ),
}
