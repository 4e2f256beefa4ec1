"""Whether a probability of 0.7 comes true in 70 of 100 cases."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trimtab.evaluation import words
from trimtab.types import Rule

BINS = 10
NAME = "calibration"
AGAIN = "calibrated_again"


@dataclass(frozen=True)
class Calibration:
    """Expected calibration error, and how much of it a perfect model would have on so few rows."""

    error: float
    chance: float


def measure(y: np.ndarray, prediction: np.ndarray, classes: Sequence[Any] | None) -> Calibration:
    """Mean distance of said and seen shares, over ten bins of as many rows each.

    Expected calibration error (Naeini et al. 2015; of several classes the likeliest counts, Guo et
    al. 2017). The bins hold equally many rows (Nixon et al. 2019): with bins of equal width, the
    small probabilities of a rare class would all fall into one.

    Args:
        y: labels, (n,); 0 and 1 for a binary task.
        prediction: P(positive) (n,), or class probabilities (n, k).
        classes: the k labels of a multiclass prediction's columns.
    """
    said, seen = prediction, y == 1
    if prediction.ndim == 2:
        said = prediction.max(axis=1)
        seen = np.asarray(classes)[prediction.argmax(axis=1)] == y
    bins = _bins(said)
    rows = np.bincount(bins)
    there = rows > 0
    share = rows[there] / len(said)
    mean = np.bincount(bins, said)[there] / rows[there]
    apart = np.abs(mean - np.bincount(bins, seen)[there] / rows[there])
    noise = np.sqrt(2 / np.pi * mean * (1 - mean) / rows[there])  # mean of a half-normal
    return Calibration(float(share @ apart), float(share @ noise))


def rule(found: Calibration, limit: float | None) -> Rule:
    """Refuse probabilities that are further off than allowed, hold where few rows may be why."""
    passed = limit is None or found.error <= limit
    chance = found.error - found.chance <= (limit or 0.0)
    told = (
        f"Said and seen shares are {words.number(found.error)} apart on average; on so few rows "
        f"{words.number(found.chance)} would be chance alone"
    )
    asked = "no limit is set (gate.calibration)"
    if limit is not None:
        asked = f"at most {words.number(limit)} is asked (gate.calibration)"
    advice = "" if passed else " More hold-out rows would tell." if chance else _ADVICE
    return Rule(
        name=NAME,
        passed=passed,
        value=found.error,
        limit=limit,
        decides="hold" if chance else "reject",
        reason=f"{told}; {asked}.{advice}",
    )


def again(now: Calibration, before: Calibration, *, version: int) -> Rule:
    """Refuse another calibration of a version unless its probabilities come true more often."""
    passed = now.error < before.error
    ends = "" if passed else " Newer labelled rows would tell more, or train it anew."
    return Rule(
        name=AGAIN,
        passed=passed,
        value=now.error,
        limit=before.error,
        reason=f"Calibrated again, said and seen shares are {words.number(now.error)} apart on "
        f"average, with champion version {version} {words.number(before.error)}.{ends}",
    )


_ADVICE = " Train with train.calibrate: isotonic, or sigmoid where rows are few."


def _bins(said: np.ndarray) -> np.ndarray:
    """Index of each row's bin; equal probabilities are in one bin."""
    edges = np.quantile(said, np.linspace(0, 1, BINS + 1)[1:-1])
    found: np.ndarray = np.searchsorted(np.unique(edges), said, side="right")
    return found
