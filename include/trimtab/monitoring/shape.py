"""What a column that moved looks like: a fault of the source, or another world. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import log, sqrt
from typing import Any

import numpy as np

from trimtab.monitoring.distance import psi
from trimtab.monitoring.profile import ColumnProfile
from trimtab.watch import Change

LOST = 0.1  # of the expected rows: a category with fewer is gone
LEAST = 0.02  # share of the rows that a rename concerns at least
NULLS = 0.5  # of the whole distance: what missing values explain
SPIKE = 0.2  # share of the rows that one value has more than its whole bin had before
USUAL = 0.6  # share of the rows: a value as common as that may well be the only one for a while
FAR = 5.0  # times: no world does this to a column and leaves its shape as it was
WANDERS, WIDELY = 0.1, 0.5  # spreads that a column may wander beside its unit; beside a far one
BETTER = 8.0  # times that the unit must fit better then than no change
LOOSEST = 0.2  # spreads a unit may be off: of fewer values than that takes, nothing can be said
COMMON = 0.12  # share of a bin that is no tenth: one value in it is common
FEWEST = 100  # values of which a unit is read
EDGES = 3  # quantiles it takes to recognise a shape
# now / before of customary changes of unit, each also the other way round.
UNITS = (
    1e6, 1e3, 100.0, 10.0, 3600.0, 60.0, 24.0, 7.0, 12.0, 365.25,
    1.609344, 1.852, 3.28084, 2.54, 25.4, 39.3701, 2.204623, 28.349523, 3.785412, 3.6, 2.236936,
)  # fmt: skip
# (slope, intercept): Celsius, Fahrenheit and Kelvin into each other.
TEMPERATURES = (
    (1.8, 32.0), (5 / 9, -160 / 9), (1.0, 273.15), (1.0, -273.15), (1.8, -459.67), (5 / 9, 255.372),
)  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """What has become of a column; ``factor`` is now / before of another unit."""

    change: Change
    factor: float | None = None


def of(before: ColumnProfile, after: ColumnProfile, values: Any, *, sudden: bool = False) -> Shape:
    """Tell what a column that moved looks like.

    Args:
        before: of the reference; its edges are its quantiles.
        after: of the window, in the same bins.
        values: of the window, without nulls: floats, (n,); of a categorical column not needed.
        sudden: a customary unit may also fit less well than chance alone would have it, when it
            fits far better than no change: seasons and sources make columns wander a little.
    """
    if _nulls(before, after):
        return Shape("nulls")
    if not before.constant and after.rows - after.nulls > 1 and _one_value(after):
        return Shape("stuck" if _share(before, after) <= USUAL else "shift")
    if before.kind == "categorical":
        return Shape(_categories(before, after))
    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values)]
    if before.kind != "numeric" or len(values) < 2:
        return Shape("shift")
    if _spike(before, values):
        return Shape("stuck")
    return _unit(before, values, sudden=sudden)


def _nulls(before: ColumnProfile, after: ColumnProfile) -> bool:
    """Whether missing values make most of the distance, and there are more of them."""
    if after.null_share <= before.null_share:
        return False
    whole = psi((*before.counts, before.nulls), (*after.counts, after.nulls))
    sides = [(each.rows - each.nulls, each.nulls) for each in (before, after)]
    return psi(sides[0], sides[1]) >= NULLS * whole


def _one_value(after: ColumnProfile) -> bool:
    if after.kind == "categorical":
        return sum(count > 0 for count in after.counts) == 1 and len(after.unlisted) <= 1
    return after.low is not None and after.low == after.high


def _share(before: ColumnProfile, after: ColumnProfile) -> float:
    """Share that the bin of the one value there is had before."""
    where = max(range(len(after.counts)), key=lambda i: after.counts[i])
    return before.counts[where] / max(sum(before.counts), 1)


def _categories(before: ColumnProfile, after: ColumnProfile) -> Change:
    """A rename takes all rows of a category to a value that was unknown, and leaves the others."""
    old, new = sum(before.counts), sum(after.counts)
    if not old or not new:
        return "shift"
    expected = [count / old * new for count in before.counts[:-1]]
    gone = [
        e for e, a in zip(expected, after.counts[:-1], strict=True) if e >= 10 and a <= LOST * e
    ]
    lost, gained = sum(gone) / new, after.counts[-1] / new - before.counts[-1] / old
    noise = 3 * sqrt(max(lost * (1 - lost), 0.0) * (1 / old + 1 / new))
    if lost >= LEAST and abs(gained - lost) <= max(0.25 * lost, noise):
        return "renamed"
    return "new_values" if gained >= LEAST else "shift"


def _spike(before: ColumnProfile, values: Any) -> bool:
    """Whether one value has taken many rows of a column that had many values: a filler.

    One that was common before, as in a column of few different numbers, only got more common.
    """
    if len(before.edges) < 2 * EDGES:
        return False
    distinct, counts = np.unique(values, return_counts=True)
    top = int(counts.argmax())
    own = before.counts[int(np.searchsorted(before.edges, distinct[top]))] / sum(before.counts)
    return bool(own <= COMMON and counts[top] / len(values) >= own + SPIKE)


def _unit(before: ColumnProfile, values: Any, *, sudden: bool) -> Shape:
    """Compare the window's quantiles with those of the reference in another unit."""
    edges = np.asarray(before.edges)
    if len(edges) < EDGES or not np.ptp(edges) or len(values) < FEWEST:
        return Shape("shift")
    shares = np.cumsum(before.counts)[: len(edges)] / sum(before.counts)
    now = np.quantile(values, shares)
    noise = min(max(0.05, 4 / sqrt(min(len(values), sum(before.counts)))), LOOSEST)
    as_it_was = _apart(edges, now, 1.0, 0.0)
    if as_it_was <= noise:
        return Shape("shift")
    unit = min(_customary(edges), key=lambda unit: _apart(edges, now, *unit))
    if _apart(edges, now, *unit) <= (min(_wanders(unit), as_it_was / BETTER) if sudden else noise):
        return Shape("offset") if unit[1] else Shape("scale", unit[0])
    if sudden:  # a calendar leaves what it was a moment ago; only a customary unit is a fault
        return Shape("shift")
    slope, away = float(edges @ now / (edges @ edges)), float(np.mean(now - edges))
    if abs(log(max(abs(slope), 1e-300))) >= log(FAR) and _apart(edges, now, slope, 0.0) <= noise:
        return Shape("scale", slope)
    if _elsewhere(before, values) and _apart(edges, now, 1.0, away) <= noise:
        return Shape("offset")
    return Shape("shift")


def _wanders(unit: tuple[float, float]) -> float:
    far = not unit[1] and abs(log(abs(unit[0]))) >= log(FAR)
    return WIDELY if far else WANDERS


def _customary(edges: Any) -> Iterator[tuple[float, float]]:
    """Changes of unit that could not be a change of spread as well.

    Times two around zero is what a wider world looks like; only far from zero does a factor move
    place and spread together, as a unit does.
    """
    off_centre = abs(float(np.median(edges))) >= float(np.std(edges))
    for unit in UNITS:
        if off_centre or unit >= FAR:
            yield unit, 0.0
            yield 1 / unit, 0.0
    if off_centre:
        yield -1.0, 0.0
    yield from TEMPERATURES


def _apart(edges: Any, now: Any, slope: float, intercept: float) -> float:
    """How far the window's quantiles are from the reference's in the other unit, in its spread."""
    expected = slope * edges + intercept
    return float(np.sqrt(np.mean((now - expected) ** 2)) / np.std(expected))


def _elsewhere(before: ColumnProfile, values: Any) -> bool:
    """Whether nearly all values lie beyond the range that was ever seen."""
    if before.low is None or before.high is None:
        return False
    return bool(max(np.mean(values > before.high), np.mean(values < before.low)) >= 0.9)
