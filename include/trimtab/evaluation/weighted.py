"""Metrics under many row weights at once: what makes 500 resamples cost a second.

Resampling rows is the same as weighting them. Metrics that are made of sums need only the sums
of each block of rows; ranking metrics are sorted once and accumulated under every weight vector.
With all weights one they are scikit-learn's metrics.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from trimtab.config.model import Task

THRESHOLD = 0.5  # of P(positive), for metrics of decided labels
TINY = 1e-15  # the smallest probability a log loss counts with
RANKING = ("roc_auc", "average_precision")


def score(
    name: str, y: np.ndarray, prediction: np.ndarray, classes: Sequence[Any] | None = None
) -> float:
    """Return the metric of the rows as they are; NaN when it does not exist on them."""
    once, everything = np.ones((1, 1)), np.zeros(len(y), dtype=int)
    return float(resampled(name, y, prediction, everything, once, classes)[0])


def losses(
    task: Task, y: np.ndarray, prediction: np.ndarray, classes: Sequence[Any] | None = None
) -> np.ndarray:
    """Return what each row costs, (n,): log loss of probabilities, absolute error of numbers."""
    if task == "regression":
        return _row_sums("neg_mean_absolute_error", y, prediction, classes)[:, 0]
    return _row_sums("neg_log_loss", y, prediction, classes)[:, 0]


def resampled(
    name: str,
    y: np.ndarray,
    prediction: np.ndarray,
    blocks: np.ndarray,
    weights: np.ndarray,
    classes: Sequence[Any] | None = None,
) -> np.ndarray:
    """Return the metric under each weight vector, (B,); NaN where it does not exist.

    Args:
        name: metric of ``config.model.METRICS``.
        y: labels, (n,).
        prediction: P(positive) (n,), class probabilities (n, k), or values (n,).
        blocks: index of each row's block, (n,) in 0..G-1.
        weights: how often each resample takes each block, (B, G).
        classes: labels of a multiclass prediction's columns.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        if name in RANKING:
            return _ranked(name, y, prediction, blocks, weights)
        rows = _row_sums(name, y, prediction, classes)
        sums = np.stack(
            [np.bincount(blocks, column, minlength=weights.shape[1]) for column in rows.T], axis=1
        )
        return _FROM_SUMS[name](weights @ sums)


def _ranked(
    name: str, y: np.ndarray, prediction: np.ndarray, blocks: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Sort once, then accumulate under one weight vector after another: they fit the cache."""
    order = np.argsort(-prediction, kind="stable")
    scores, positive, blocks = prediction[order], y[order] == 1, blocks[order]
    last = np.flatnonzero(np.r_[scores[1:] != scores[:-1], True])  # of each group of equal scores
    finish = _roc_auc if name == "roc_auc" else _average_precision
    values = np.full(len(weights), np.nan)
    for i, weight in enumerate(weights.astype(float)):
        w = weight[blocks]
        found = np.cumsum(np.where(positive, w, 0.0))[last]
        values[i] = finish(found, np.cumsum(w)[last])
    return values


def _roc_auc(found: np.ndarray, taken: np.ndarray) -> float:
    """Area under (negatives, positives) by trapezoids: ties count half. NaN with one class."""
    passed = taken - found
    area = float(np.trapezoid(found, passed)) + 0.5 * float(found[0] * passed[0])
    both = float(found[-1] * passed[-1])
    return area / both if both else float("nan")


def _average_precision(found: np.ndarray, taken: np.ndarray) -> float:
    """Precision averaged over the recall each group of scores adds; no interpolation."""
    if not found[-1] or found[-1] == taken[-1]:
        return float("nan")
    precision = np.divide(found, taken, out=np.zeros_like(found), where=taken > 0)
    added = np.diff(found, prepend=0.0)
    return float((added * precision).sum() / found[-1])  # a dot product here starts threads


def _row_sums(
    name: str, y: np.ndarray, prediction: np.ndarray, classes: Sequence[Any] | None
) -> np.ndarray:
    """What each row adds to the sums of a metric, (n, k); the last column counts the row."""
    one = np.ones(len(y))
    if prediction.ndim == 2:
        columns = _class_sums(name, y, prediction, list(classes or ()))
    elif name in ("accuracy", "f1"):
        said = prediction >= THRESHOLD
        columns = [said == y, said & (y == 1), said, y == 1]
    elif name == "neg_log_loss":
        columns = [-_log(np.where(y == 1, prediction, 1 - prediction))]
    else:
        residual = y - prediction
        columns = [np.abs(residual), residual**2, y, y.astype(float) ** 2]
    return np.stack([*columns, one], axis=1).astype(float)


def _class_sums(name: str, y: np.ndarray, p: np.ndarray, classes: list[Any]) -> list[np.ndarray]:
    if name == "neg_log_loss":
        index = {label: i for i, label in enumerate(classes)}
        truth = np.array([index.get(label, -1) for label in y.tolist()])
        given = np.where(truth >= 0, p[np.arange(len(y)), truth], 0.0)  # an unknown class: 0
        return [-_log(given)]
    said = np.asarray(classes)[p.argmax(axis=1)]
    if name == "accuracy":
        return [said == y]
    labels = [label for label in classes if (y == label).any() or (said == label).any()]
    return [f for c in labels for f in ((said == c) & (y == c), said == c, y == c)]


def _log(probability: np.ndarray) -> np.ndarray:
    logarithm: np.ndarray = np.log(np.clip(probability, TINY, 1.0))
    return logarithm


def _f1_macro(sums: np.ndarray) -> np.ndarray:
    hits, said, true = sums[:, 0:-1:3], sums[:, 1:-1:3], sums[:, 2:-1:3]
    there = (said + true) > 0  # a resample may miss a rare class altogether
    f1 = np.divide(2 * hits, said + true, out=np.zeros_like(hits), where=there)
    mean: np.ndarray = f1.sum(axis=1) / there.sum(axis=1)
    return mean


def _r2(sums: np.ndarray) -> np.ndarray:
    _, squares, y, y2, n = sums.T
    explained: np.ndarray = 1 - squares / (y2 - y**2 / n)
    return explained


_FROM_SUMS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "accuracy": lambda s: s[:, 0] / s[:, -1],
    "f1": lambda s: np.where(s[:, 2] + s[:, 3] > 0, 2 * s[:, 1] / (s[:, 2] + s[:, 3]), 0.0),
    "f1_macro": _f1_macro,
    "neg_log_loss": lambda s: -s[:, 0] / s[:, -1],
    "neg_brier_score": lambda s: -s[:, 1] / s[:, -1],
    "r2": _r2,
    "neg_mean_absolute_error": lambda s: -s[:, 0] / s[:, -1],
    "neg_root_mean_squared_error": lambda s: -np.sqrt(s[:, 1] / s[:, -1]),
}
