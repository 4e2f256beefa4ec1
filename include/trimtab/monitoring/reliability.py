"""Whether things still happen as often as the model says, as they did at the gate. Pure.

Answers are put right first by what the hold-out has shown (a model that was never calibrated has
not changed). Then Cox's calibration model (Cox 1958, "Two further applications of a model for
binary regression"): logit P(label) = a + b * logit(p) with a = 0 and b = 1. A score test of both
needs no fit; its covariance comes from days, since rows of one day miss alike, and days in a row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trimtab.monitoring import blocks as by_block
from trimtab.monitoring import neighbours
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
    by_both, unseen = _worth(now.prediction, before)
    error, noise = _error(by_both[0], now.truth, before.prediction, now.prediction)
    return Reliability(
        error,
        noise,
        float(by_both[0].mean()),
        float(now.truth.mean()),
        _p_value(now, before, by_both, unseen),
    )


def _worth(given: Any, before: Known) -> tuple[tuple[Any, Any], Any]:
    """What answers are worth by the hold-out: now, its own rows, and those by the other days alone.

    By the days it has learnt the hold-out looks better calibrated than any new row can be.
    """
    half = np.unique(before.blocks, return_inverse=True)[1] % 2
    if half.all() or not half.any():  # one day only
        half = np.arange(len(before)) % 2
    said, at_gate = np.zeros(len(given)), np.zeros(len(before))
    unseen = np.empty(len(before))
    for part in (0, 1):
        mine = half == part
        learnt = Known(before.truth[mine], before.prediction[mine], before.blocks[mine])
        worth = calibration(learnt, None)
        said += np.clip(worth(given), SURE, 1 - SURE) / 2
        there = np.clip(worth(before.prediction), SURE, 1 - SURE)
        at_gate += there / 2
        unseen[~mine] = there[~mine]
    return (said, at_gate), unseen


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


def _p_value(now: Known, before: Known, by_both: tuple[Any, Any], unseen: Any) -> float:
    """Chance of mean scores as far apart; how days vary is seen where all are judged alike.

    The hold-out's own mean is by the days that were not learnt. Without days on either side rows
    stand for themselves.
    """
    here, there = _scores(by_both[0], now), _scores(by_both[1], before)
    apart = here.mean(axis=0) - _scores(unseen, before).mean(axis=0)
    by_day = [neighbours.sums(here, now.blocks), neighbours.sums(there, before.blocks)]
    if sum(map(len, by_day)) - 2 < by_block.MIN_BLOCKS - 1:
        by_day = [neighbours.sums(each, np.arange(len(each))) for each in (here, there)]
    return neighbours.chance(apart, *by_day)


def _scores(said: Any, rows: Known) -> Any:
    """Each row's derivatives by a and b, (n, 2)."""
    off = rows.truth - said
    return np.column_stack([off, off * np.log(said / (1 - said))])
