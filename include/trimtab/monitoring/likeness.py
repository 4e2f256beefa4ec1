"""Faults that only show beside the values of before: in part of the rows, in two columns. Pure.

Values are floats without gaps, (n,), of the rows before and of the window. What the world alone
may do is never said to be a fault: each rule wants what it says to fit far better than no change.
"""

from collections.abc import Iterator
from math import sqrt
from typing import Any

import numpy as np

from trimtab.monitoring.shape import FAR, TEMPERATURES, UNITS

LEAST, FEWEST = 0.02, 100  # share and number of the rows that a fault of some rows concerns
APART = 0.8  # of the values in another unit would lie beyond all that was known
CLOSE, OTHERWISE = 0.1, 0.3  # distance of what is alike, and of what has moved
EXACT = 0.05  # distance of what should be the same
HOURS = 24


def distance(left: Any, right: Any) -> float:
    """Kolmogorov and Smirnov's: the largest distance of the two distribution functions."""
    left, right = np.sort(left), np.sort(right)
    both = np.concatenate([left, right])
    sides = [np.searchsorted(each, both, side="right") / len(each) for each in (left, right)]
    return float(np.abs(sides[0] - sides[1]).max())


def noise(left: int, right: int) -> float:
    """Largest distance that chance makes of as many rows, once in a hundred times."""
    return 1.63 * sqrt(1 / left + 1 / right)


def mixed(before: Any, now: Any) -> float | None:
    """Return now / before of rows that are in another unit, while the others are as they were.

    Such rows lie beyond all that was known, and there they look like the column in that unit. A
    world that moves has its first rows just beyond the border, and most of them there.
    """
    if len(before) < FEWEST or not len(now):
        return None
    low, high = before.min(), before.max()
    for beyond in (now > high, now < low):
        odd, rest = now[beyond], now[~beyond]
        if len(odd) < max(FEWEST, LEAST * len(now)) or len(rest) < FEWEST:
            continue
        if distance(before, rest) > CLOSE + noise(len(before), len(rest)):
            continue
        fits = {factor: distance(odd, there) for factor, there in _elsewhere(before, low, high)}
        best = min(fits, key=lambda factor: fits[factor], default=None)
        if best is not None and fits[best] <= EXACT + noise(len(odd), len(before)) / 1.2:
            return best
    return None


def _elsewhere(before: Any, low: float, high: float) -> Iterator[tuple[float, Any]]:
    """The known values in each unit that leads nearly all of them out of the known range."""
    units = [(factor, 0.0) for unit in UNITS if unit >= FAR for factor in (unit, 1 / unit)]
    for factor, plus in (*units, *TEMPERATURES):
        there = factor * before + plus
        out = (there > high) | (there < low)
        if out.mean() >= APART:
            yield factor, there[out]


def swapped(left: tuple[Any, Any], right: tuple[Any, Any]) -> bool:
    """Whether each of two columns, as (before, now), holds now what the other held before."""
    if min(len(each) for each in (*left, *right)) < FEWEST:
        return False
    room = CLOSE + noise(len(left[1]), len(right[0]))
    moved = min(distance(*left), distance(*right))
    across = max(distance(left[1], right[0]), distance(right[1], left[0]))
    return across <= room and moved >= max(OTHERWISE, 3 * across)


def turned(before: Any, now: Any) -> int | None:
    """Return by how many hours a clock was turned; an hour alone is summer time, and no fault.

    Both are the rows of each hour of the day, (24,).
    """
    if min(before.sum(), now.sum()) < FEWEST:
        return None
    old, new = before / before.sum(), now / now.sum()
    off = [float(np.abs(np.roll(old, by) - new).sum()) / 2 for by in range(HOURS)]
    best = int(np.argmin(off))
    by = best if best <= HOURS // 2 else best - HOURS
    chance = sqrt(HOURS / 2 * (1 / before.sum() + 1 / now.sum()))
    if abs(by) < 2 or off[best] > CLOSE + chance or off[0] < max(2 * CLOSE, 3 * off[best]):
        return None
    return by
