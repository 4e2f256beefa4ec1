"""How sure a metric of rows is that come in blocks (days): the delete-a-group jackknife. Pure.

Rows of one day are alike, and neighbouring days are too. Leaving out one block after another
needs as many metric values as there are blocks, where a bootstrap needs hundreds (Efron and
Tibshirani 1993, An Introduction to the Bootstrap, chapter 11).
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Any

import numpy as np

MIN_BLOCKS = 5  # fewer say too little about how much they vary
MAX_BLOCKS = 30  # more are merged with their neighbours, which bounds the work
SERIAL = 15  # blocks from which on their likeness in a row can be told from chance

Value = Callable[[Any], float]  # of the rows where a mask of (n,) is true


@dataclass(frozen=True)
class Spread:
    """A metric, its standard error, and the degrees of freedom that error rests on.

    ``block`` is the variance that one block of ``rows / blocks`` rows contributes: what another
    window of few such blocks is judged by. Without an error (NaN) there were too few blocks.
    """

    value: float
    error: float = float("nan")
    freedom: float = 0.0
    blocks: int = 0
    rows: int = 0

    @property
    def block(self) -> float:
        """Variance of the metric on one block."""
        return self.error**2 * self.blocks

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % of the value; None without an error."""
        if not isfinite(self.error) or self.freedom <= 0:
            return None
        from scipy.special import stdtrit

        half = float(stdtrit(self.freedom, 0.975)) * self.error
        return self.value - half, self.value + half


def spread(value: Value, blocks: Sequence[Hashable] | Any) -> Spread:
    """Return the metric of all rows with its error; the blocks are in the order of their names."""
    names, index = np.unique(np.asarray(blocks, dtype=str), return_inverse=True)
    rows = len(index)
    whole = float(value(np.ones(rows, dtype=bool)))
    bare = Spread(whole, blocks=len(names), rows=rows)
    if len(names) < MIN_BLOCKS:
        return bare
    groups = min(len(names), MAX_BLOCKS)
    index = index * groups // len(names)
    left = np.array([value(index != i) for i in range(groups)])
    left = left[np.isfinite(left)]
    if len(left) < MIN_BLOCKS:
        return bare
    apart = left - left.mean()
    variance = (len(left) - 1) / len(left) * float(np.sum(apart**2)) * serial(apart)
    return Spread(whole, sqrt(variance), len(left) - 1, len(names), rows)


def borrowed(now: Spread, before: Spread) -> Spread:
    """Judge a window by its own blocks and those of the reference: few days say little alone.

    When nothing has changed the days of both vary alike, so their variances are pooled, each as
    heavy as its degrees of freedom. Blocks with fewer rows than those of the reference vary more,
    in proportion; blocks with more rows are trusted no further, since days differ anyway.
    """
    if not isfinite(before.error) or not now.rows:
        return now
    smaller = (before.rows / before.blocks) / (now.rows / now.blocks)
    theirs, ours = before.block * max(smaller, 1.0), now.block if isfinite(now.error) else 0.0
    freedom = before.freedom + now.freedom
    variance = (theirs * before.freedom + ours * now.freedom) / freedom / now.blocks
    return Spread(now.value, sqrt(variance), freedom, now.blocks, now.rows)


def chance_of_fall(now: Spread, before: Spread) -> float:
    """Chance of a value at least as far below ``before`` when nothing has changed.

    Welch's t test (Welch 1947) of two independent values with errors of their own.
    """
    if not isfinite(now.value) or not isfinite(before.value):
        return 1.0
    pair = [each for each in (now, before) if isfinite(each.error) and each.freedom > 0]
    variance = sum(each.error**2 for each in pair)
    if not pair or variance == 0:
        return float(now.value >= before.value)
    freedom = variance**2 / sum(each.error**4 / each.freedom for each in pair)
    from scipy.special import stdtr

    return float(stdtr(min(freedom, 1e9), (now.value - before.value) / sqrt(variance)))


def serial(apart: Any) -> float:
    """How many times as much blocks in a row vary together as strangers would, at least 1.

    That of a first-order autoregression, (1 + r) / (1 - r); with few blocks r is chance.
    """
    if len(apart) < SERIAL or not (power := float(np.sum(apart**2))):
        return 1.0
    r = float(np.sum(apart[1:] * apart[:-1])) / power
    r += (1 + 3 * r) / len(apart)  # its bias (Kendall 1954)
    return (1 + min(r, 0.9)) / (1 - min(r, 0.9)) if r > 0 else 1.0


def day_or_neighbours(days: Sequence[Hashable] | None, rows: int) -> Any:
    """Blocks of rows: their days, or twenty runs of neighbours where no time is known."""
    if days is not None:
        return np.asarray(days, dtype=str)
    return np.char.zfill((np.arange(rows) * 20 // max(rows, 1)).astype(str), 2)


def effective(weights: Any) -> float:
    """How many rows of equal weight these are worth (Kish 1965)."""
    total = float(np.sum(weights))
    return total**2 / float(np.sum(np.square(weights))) if total else 0.0
