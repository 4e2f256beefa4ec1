"""Metrics by their scikit-learn names, on arrays. Higher is better for every one of them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn import metrics as sk

Weights = np.ndarray | None
Scorer = Callable[[np.ndarray, np.ndarray, Sequence[Any] | None, Weights], float]
THRESHOLD = 0.5  # of P(positive), for metrics of decided labels


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
    except ValueError:
        return float("nan")


def _both(y: np.ndarray) -> None:
    if len(np.unique(y)) < 2:
        raise ValueError("only one class")


def _roc_auc(y: np.ndarray, p: np.ndarray, _: Sequence[Any] | None, w: Weights) -> float:
    """Share of pairs in the right order, ties half; scikit-learn's value in a tenth of its time."""
    _both(y)
    order = np.argsort(p, kind="stable")
    heavy = np.ones(len(y)) if w is None else np.asarray(w, dtype=float)[order]
    positive = np.where(y[order] == 1, heavy, 0.0)
    first = np.flatnonzero(np.r_[True, np.diff(p[order]) != 0])  # of each run of equal scores
    up, down = np.add.reduceat(positive, first), np.add.reduceat(heavy - positive, first)
    if not (pairs := up.sum() * down.sum()):
        raise ValueError("only one class has weight")
    return float(up @ (np.cumsum(down) - down / 2) / pairs)


def _average_precision(y: np.ndarray, p: np.ndarray, _: Sequence[Any] | None, w: Weights) -> float:
    _both(y)
    return float(sk.average_precision_score(y, p, sample_weight=w))


def _labels(p: np.ndarray, classes: Sequence[Any] | None) -> np.ndarray:
    if p.ndim == 1:
        return (p >= THRESHOLD).astype(int)
    if classes is None:
        raise TypeError("class probabilities need their classes")
    labels: np.ndarray = np.asarray(classes)[p.argmax(axis=1)]
    return labels


def _neg_log_loss(y: np.ndarray, p: np.ndarray, classes: Sequence[Any] | None, w: Weights) -> float:
    return -float(sk.log_loss(y, p, labels=[0, 1] if p.ndim == 1 else classes, sample_weight=w))


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
