"""Whether things still happen as often as the model says, as they did at the gate. Pure.

Answers are put right first by what the hold-out has shown (a model that was never calibrated has
not changed). Then Cox's calibration model (Cox 1958, "Two further applications of a model for
binary regression"): logit P(label) = a + b * logit(p) with a = 0 and b = 1. A score test of both
needs no fit; its covariance comes from days, since rows of one day miss alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trimtab.monitoring import blocks as by_block
from trimtab.monitoring.estimated import calibration
from trimtab.monitoring.truth import Known

BINS = 10
SURE = 0.001  # probabilities nearer to 0 and 1 count as this: one row must not decide


@dataclass(frozen=True)
class Reliability:
    """Mean distance of said and seen shares over ten bins, and what chance alone makes of it.

    ``said`` and ``seen`` are the shares over all rows; ``p_value`` the chance of answers at least
    as far off when nothing has changed.
    """

    error: float
    by_chance: float
    said: float
    seen: float
    p_value: float


def compare(now: Known, before: Known, classes: Sequence[Any] | None) -> Reliability:
    """Judge the answers of a window by what the same answers were worth on the hold-out."""
    now, before = _best(now, classes), _best(before, classes)
    said, at_gate = _worth(now, before)
    error, noise = _error(said, now.truth, before.prediction, now.prediction)
    return Reliability(
        error,
        noise,
        float(said.mean()),
        float(now.truth.mean()),
        _p_value(_scores(said, now), _scores(at_gate, before)),
    )


def _worth(now: Known, before: Known) -> tuple[Any, Any]:
    """What answers are worth by the hold-out: now, and on its own rows, learnt on the other days.

    Otherwise the hold-out would look better calibrated than any new row can be.
    """
    half = np.unique(before.blocks, return_inverse=True)[1] % 2
    if half.all() or not half.any():  # one day only
        half = np.arange(len(before)) % 2
    said, at_gate = np.zeros(len(now)), np.empty(len(before))
    for part in (0, 1):
        mine = half == part
        learnt = Known(before.truth[mine], before.prediction[mine], before.blocks[mine])
        worth = calibration(learnt, None)
        said += np.clip(worth(now.prediction), SURE, 1 - SURE) / 2
        at_gate[~mine] = np.clip(worth(before.prediction[~mine]), SURE, 1 - SURE)
    return said, at_gate


def _best(rows: Known, classes: Sequence[Any] | None) -> Known:
    """Of several classes the likeliest counts (Guo et al. 2017)."""
    if classes is None:
        return Known((rows.truth == 1).astype(float), rows.prediction, rows.blocks)
    right = np.asarray(classes)[rows.prediction.argmax(axis=1)] == rows.truth
    return Known(right.astype(float), rows.prediction.max(axis=1), rows.blocks)


def _error(said: Any, seen: Any, reference: Any, given: Any) -> tuple[float, float]:
    """Expected calibration error over bins of the reference, and its value by chance alone."""
    edges = np.unique(np.quantile(reference, np.linspace(0, 1, BINS + 1)[1:-1]))
    index = np.searchsorted(edges, given, side="right")
    rows = np.bincount(index)
    there = rows > 0
    share, mean = rows[there] / len(said), np.bincount(index, said)[there] / rows[there]
    apart = np.abs(mean - np.bincount(index, seen)[there] / rows[there])
    noise = np.sqrt(2 / np.pi * mean * (1 - mean) / rows[there])  # mean of a half-normal
    return float(share @ apart), float(share @ noise)


def _scores(said: Any, rows: Known) -> tuple[Any, Any]:
    """Each row's derivatives by a and b, and its block."""
    off = rows.truth - said
    return np.column_stack([off, off * np.log(said / (1 - said))]), rows.blocks


def _p_value(now: tuple[Any, Any], before: tuple[Any, Any]) -> float:
    """Hotelling's two-sample T2 of the mean scores, as an F; the covariances are pooled.

    Few days say little alone, and when nothing has changed those of the hold-out vary alike.
    """
    from scipy.stats import f

    (here, now_blocks), (there, before_blocks) = now, before
    theirs, theirs_free = _covariance(there, before_blocks)
    ours, ours_free = _covariance(here, now_blocks)
    free = theirs_free + ours_free
    if not free:  # no days on either side: rows stand for themselves
        theirs, free = np.cov(there.T), len(there) - 1
        theirs_free = free
    pooled = (theirs * theirs_free + ours * ours_free) / free
    total = pooled * (1 / len(here) + 1 / len(there))
    apart = here.mean(axis=0) - there.mean(axis=0)
    t2 = float(apart @ np.linalg.pinv(total) @ apart)
    return float(f.sf(t2 * (free - 1) / (2 * free), 2, free - 1))


def _covariance(scores: Any, blocks: Any) -> tuple[Any, int]:
    """Covariance of a row's score, days respected, and its degrees of freedom; 0 of too few."""
    names, index = np.unique(np.asarray(blocks, dtype=str), return_inverse=True)
    if len(names) < by_block.MIN_BLOCKS:
        return np.zeros((2, 2)), 0
    apart = scores - scores.mean(axis=0)
    sums = np.stack([np.bincount(index, column, len(names)) for column in apart.T], axis=1)
    likeness = max(by_block.serial(column - column.mean()) for column in sums.T)
    scale = len(names) / (len(names) - 1) / len(scores)
    return sums.T @ sums * scale * likeness, len(names) - 1
