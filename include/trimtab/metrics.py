"""Metrics by their scikit-learn names, on arrays. Higher is better for every one of them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn import metrics as sk

Scorer = Callable[[np.ndarray, np.ndarray, Sequence[Any] | None], float]
THRESHOLD = 0.5  # of P(positive), for metrics of decided labels


def score(
    name: str, y: np.ndarray, prediction: np.ndarray, classes: Sequence[Any] | None = None
) -> float:
    """Return one metric; NaN when it does not exist on these rows (for example one class only).

    Args:
        name: one of ``config.model.METRICS``.
        y: labels, (n,); 0 and 1 for a binary task.
        prediction: P(positive) (n,), class probabilities (n, k), or values (n,).
        classes: the k labels of a multiclass prediction's columns.
    """
    if len(y) == 0 or not np.isfinite(prediction).all():
        return float("nan")
    try:
        return float(_SCORERS[name](y, prediction, classes))
    except ValueError:
        return float("nan")


def _both(y: np.ndarray) -> None:
    if len(np.unique(y)) < 2:
        raise ValueError("only one class")


def _roc_auc(y: np.ndarray, p: np.ndarray, _: Sequence[Any] | None) -> float:
    _both(y)
    return float(sk.roc_auc_score(y, p))


def _average_precision(y: np.ndarray, p: np.ndarray, _: Sequence[Any] | None) -> float:
    _both(y)
    return float(sk.average_precision_score(y, p))


def _labels(p: np.ndarray, classes: Sequence[Any] | None) -> np.ndarray:
    if p.ndim == 1:
        return (p >= THRESHOLD).astype(int)
    if classes is None:
        raise TypeError("class probabilities need their classes")
    labels: np.ndarray = np.asarray(classes)[p.argmax(axis=1)]
    return labels


def _neg_log_loss(y: np.ndarray, p: np.ndarray, classes: Sequence[Any] | None) -> float:
    return -float(sk.log_loss(y, p, labels=[0, 1] if p.ndim == 1 else classes))


_SCORERS: dict[str, Scorer] = {
    "roc_auc": _roc_auc,
    "average_precision": _average_precision,
    "accuracy": lambda y, p, c: sk.accuracy_score(y, _labels(p, c)),
    "f1": lambda y, p, c: sk.f1_score(y, _labels(p, c), zero_division=0.0),
    "f1_macro": lambda y, p, c: sk.f1_score(y, _labels(p, c), average="macro", zero_division=0.0),
    "neg_log_loss": _neg_log_loss,
    "neg_brier_score": lambda y, p, _: -sk.brier_score_loss(y, p),
    "r2": lambda y, p, _: sk.r2_score(y, p),
    "neg_mean_absolute_error": lambda y, p, _: -sk.mean_absolute_error(y, p),
    "neg_root_mean_squared_error": lambda y, p, _: -sk.root_mean_squared_error(y, p),
}
