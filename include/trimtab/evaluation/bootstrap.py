"""Intervals by resampling. Rows of one day are not independent, so days are drawn, not rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trimtab.evaluation.weighted import resampled
from trimtab.ledger.chain import digest

MIN_BLOCKS = 8  # fewer blocks than this say too little about how much they vary
MAX_BLOCKS = 20_000  # more single rows than this are drawn in bundles, to bound the memory
MIN_VALID = 0.9  # share of resamples in which the metric must exist


@dataclass(frozen=True)
class Interval:
    """An estimate and its percentile interval."""

    low: float
    estimate: float
    high: float

    @property
    def triple(self) -> tuple[float, float, float]:
        """Low, estimate, high."""
        return self.low, self.estimate, self.high


@dataclass(frozen=True)
class Resampling:
    """Which block each row is in, and how often each resample takes each block."""

    blocks: np.ndarray
    weights: np.ndarray
    confidence: float
    unit: str  # day | hour | row

    def values(
        self,
        name: str,
        y: np.ndarray,
        prediction: np.ndarray,
        classes: Sequence[Any] | None = None,
        rows: np.ndarray | None = None,
    ) -> np.ndarray:
        """Return the metric in each resample, of all rows or of those where ``rows`` is true."""
        if rows is None:
            return resampled(name, y, prediction, self.blocks, self.weights, classes)
        return resampled(name, y[rows], prediction[rows], self.blocks[rows], self.weights, classes)

    def interval(self, estimate: float, values: np.ndarray) -> Interval:
        """Percentile interval; NaN ends when the metric does not exist in too many resamples."""
        valid = values[np.isfinite(values)]
        if len(valid) < MIN_VALID * len(values) or not np.isfinite(estimate):
            return Interval(float("nan"), estimate, float("nan"))
        tail = (1 - self.confidence) / 2
        low, high = np.quantile(valid, [tail, 1 - tail])
        return Interval(float(low), estimate, float(high))


def plan(
    rows: int, times: np.ndarray | None, *, resamples: int, confidence: float, seed: str
) -> Resampling:
    """Draw the resamples once; both models are then measured under the same draws.

    Args:
        rows: how many rows there are.
        times: event times (datetime64), or None when the rows have none.
        resamples: how many draws.
        confidence: of the two-sided interval.
        seed: any text that names the content, so that the same content gives the same draws.
    """
    blocks, unit = _blocks(rows, times)
    groups = int(blocks.max()) + 1 if rows else 0
    generator = np.random.default_rng(int(digest(seed)[:16], 16))
    weights = np.empty((resamples, groups), dtype=np.float32)
    for i in range(resamples):
        drawn = generator.integers(0, groups, groups)
        weights[i] = np.bincount(drawn, minlength=groups)
    return Resampling(blocks, weights, confidence, unit)


def _blocks(rows: int, times: np.ndarray | None) -> tuple[np.ndarray, str]:
    """Days when there are enough of them, else hours, else single rows."""
    if times is not None:
        for unit, code in (("day", "D"), ("hour", "h")):
            values, blocks = np.unique(times.astype(f"datetime64[{code}]"), return_inverse=True)
            if len(values) >= MIN_BLOCKS:
                return blocks, unit
    return np.arange(rows) % MAX_BLOCKS, "row"
