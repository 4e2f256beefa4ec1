"""Intervals by resampling: whole days and whole groups are drawn, not rows.

Rows of one day, or of one customer, say alike things. Where there are days and groups, each is
drawn by itself and a row counts the product of the two (Owen and Eckles 2012, "Bootstrapping data
arrays of arbitrary order"; it errs to the wide side). The interval is the expanded percentile one
(Hesterberg 2015, "What teachers should know about the bootstrap"): a few days vary more than the
plain percentiles of their resamples say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from trimtab.evaluation.weighted import resampled
from trimtab.ledger.chain import digest

MIN_BLOCKS = 8  # fewer blocks than this say too little about how much they vary
MAX_BLOCKS = 20_000  # more rows or groups than this are drawn in bundles, to bound the memory
MIN_VALID = 0.9  # share of resamples in which the metric must exist


@dataclass(frozen=True)
class Interval:
    """An estimate, its percentile interval, and its standard error."""

    low: float
    estimate: float
    high: float
    error: float = float("nan")

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
    unit: str  # day | hour | group | day and group | hour and group | row
    clusters: int  # of the kind there are fewest of: what the certainty rests on
    half: np.ndarray  # true for the rows of every other block of the first kind

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
        """Expanded percentile interval; NaN when the metric is missing in too many resamples."""
        valid = values[np.isfinite(values)]
        enough = self.clusters > 1 and len(valid) >= MIN_VALID * len(values)
        if not enough or not np.isfinite(estimate):
            return Interval(float("nan"), estimate, float("nan"))
        low, high = np.quantile(valid, [self.tail, 1 - self.tail])
        return Interval(float(low), estimate, float(high), float(valid.std() * self._widening))

    @cached_property
    def tail(self) -> float:
        """Share of the resamples beyond each end: less than asked where clusters are few."""
        from scipy import special

        quantile = special.stdtrit(self.clusters - 1, (1 - self.confidence) / 2)
        return float(special.ndtr(quantile * self._widening))

    @property
    def _widening(self) -> float:
        return float(np.sqrt(self.clusters / (self.clusters - 1)))


def plan(
    rows: int,
    times: np.ndarray | None,
    groups: np.ndarray | None = None,
    *,
    resamples: int,
    confidence: float,
    seed: str,
) -> Resampling:
    """Draw the resamples once; both models are then measured under the same draws.

    Args:
        rows: how many rows there are, at least two.
        times: event times (datetime64), or None when the rows have none.
        groups: what rows belong together, or None when nothing but time says so.
        resamples: how many draws.
        confidence: of the two-sided interval.
        seed: any text that names the content, so that the same content gives the same draws.
    """
    kinds = _kinds(rows, times, groups)
    generator = np.random.default_rng(int(digest(seed)[:16], 16))
    drawn = [_drawn(int(codes.max()) + 1, resamples, generator) for codes in kinds.values()]
    clusters = min(len(each[0]) for each in drawn)
    blocks, weights = _crossed(list(kinds.values()), drawn)
    half = next(iter(kinds.values())) % 2 == 0
    return Resampling(blocks, weights, confidence, " and ".join(kinds), clusters, half)


def _kinds(rows: int, times: np.ndarray | None, groups: np.ndarray | None) -> dict[str, np.ndarray]:
    """What is drawn, as a code for each row: days (or hours) and groups, else single rows."""
    kinds = {} if times is None else _periods(times)
    if groups is not None:
        most = MAX_BLOCKS // max((int(codes.max()) + 1 for codes in kinds.values()), default=1)
        kinds["group"] = np.unique(groups.astype(str), return_inverse=True)[1] % most
    return kinds or {"row": np.arange(rows) % MAX_BLOCKS}


def _periods(times: np.ndarray) -> dict[str, np.ndarray]:
    """Days when there are enough of them, else hours, else nothing."""
    for unit, code in (("day", "D"), ("hour", "h")):
        values, blocks = np.unique(times.astype(f"datetime64[{code}]"), return_inverse=True)
        if len(values) >= MIN_BLOCKS:
            return {unit: blocks}
    return {}


def _drawn(blocks: int, resamples: int, generator: np.random.Generator) -> np.ndarray:
    """Draw as many blocks as there are, with replacement: how often each comes, (B, G)."""
    weights = np.empty((resamples, blocks), dtype=np.float32)
    for i in range(resamples):
        weights[i] = np.bincount(generator.integers(0, blocks, blocks), minlength=blocks)
    return weights


def _crossed(kinds: list[np.ndarray], drawn: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Blocks of rows that are alike in every kind, and the product of their weights."""
    if len(kinds) == 1:
        return kinds[0], drawn[0]
    width = drawn[1].shape[1]
    pairs, blocks = np.unique(kinds[0] * width + kinds[1], return_inverse=True)
    return blocks, drawn[0][:, pairs // width] * drawn[1][:, pairs % width]
