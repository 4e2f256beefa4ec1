"""What distance a window shows when nothing has changed, and the chance of a larger one.

Neighbouring rows are alike (weather, weekdays, campaigns), so that windows differ by more than
independent rows would. How much more is measured: contiguous runs of the reference, as long as the
window, against the rest of the reference, which counts the reference's own error too (moving
blocks: Kuensch 1989, Annals of Statistics 17; Politis and Romano 1992).

The far tail, where a budget of few false alarms lives, is beyond any resample. It is that of an
F distribution whose first degrees of freedom match mean and variance (Satterthwaite 1946), and
whose second are those the mean is known by: the correction of Rao and Scott (1984, Annals of
Statistics 12) for tables of clustered rows, as R's ``survey::svychisq`` has it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np

from trimtab.monitoring.distance import psi_each
from trimtab.monitoring.runs import Runs

LEAST_RUNS = 8  # of runs that do not overlap; a longer window is extrapolated
ENOUGH_RUNS = 20  # to learn the excess and in how many ways it goes; fewer get the widest tail
DRAWS = 400
_CERTAIN = 1e6  # degrees of freedom of a mean that is known


@dataclass(frozen=True)
class Null:
    """PSI of a window when nothing has changed."""

    mean: float
    freedom: float  # of the chi-square that has its shape
    known: float  # degrees of freedom its mean is known by
    excess: float = 0.0  # part of the mean that is the neighbours' likeness, not sampling

    def p_value(self, psi: float) -> float:
        """Return the chance of a PSI at least as large."""
        from scipy.stats import f

        if not self.mean > 0:
            return 1.0
        return float(f.sf(psi / self.mean, self.freedom, self.known))


@dataclass(frozen=True)
class _Part:
    """One part of the distance: its mean, its variance, and the variance of that mean."""

    mean: float
    variance: float
    unsure: float = 0.0


def null(runs: Runs, rows: int, span: float | None = None) -> Null:
    """Return the null distribution of a window of ``rows`` rows over ``span`` seconds.

    Where rows have no time, the window is as long as its rows.
    """
    sampling = _sampling(runs.total, rows, runs.rows)
    excess = _excess(runs, rows, span)
    bins = max(int(np.count_nonzero(runs.total)) - 1, 1)
    mean = sampling.mean + excess.mean
    both = 4 * sampling.mean / bins * excess.mean
    variance = sampling.variance + both + excess.variance
    if not mean > 0 or not variance > 0:
        return Null(mean, float(bins), _CERTAIN)
    known = 2 * mean**2 / excess.unsure if excess.unsure else _CERTAIN
    return Null(mean, 2 * mean**2 / variance, min(known, _CERTAIN), excess.mean)


def _sampling(total: Any, rows: int, reference: int) -> _Part:
    """Mean and variance of the distance of independent samples: drawn, as bins may be rare."""
    draw = np.random.default_rng(0)
    shares = total / total.sum()
    before = draw.multinomial(reference, shares, size=DRAWS)
    apart = psi_each(before, draw.multinomial(rows, shares, size=DRAWS))
    return _Part(float(apart.mean()), float(apart.var()))


def _excess(runs: Runs, rows: int, span: float | None) -> _Part:
    """What runs of the reference differ by beyond sampling, for a window of that length.

    Few long runs may hide what many short ones show; and what short ones show falls at most with
    their length (rows that forget). So of few the largest answer of three lengths is taken; of
    enough runs their own, which knows of a season inside the window that it averages out.
    """
    wanted = runs.length(rows, span)
    if len(runs.counts) < LEAST_RUNS:
        return _Part(0.0, 0.0)
    pieces = max(wanted, LEAST_RUNS)
    lengths = (1,) if pieces >= ENOUGH_RUNS else (1, 4, 16)
    seen = {k: _excess_of(runs, k * pieces) for k in lengths if k * pieces <= len(runs.counts)}
    scaled = [
        _times(part, (1 + 1 / wanted) / (1 + 1 / (k * pieces - 1)) / k) for k, part in seen.items()
    ]  # the window is judged by all of the reference, a run by the rest of it
    found = max(scaled, key=lambda part: part.mean)
    if pieces == wanted:
        return found
    return _times(found, (wanted / pieces) ** _slope(seen))


def _times(part: _Part, factor: float) -> _Part:
    return _Part(part.mean * factor, part.variance * factor**2, part.unsure * factor**2)


def _excess_of(runs: Runs, pieces: float) -> _Part:
    seen = runs.cut(pieces)
    rows = seen.sum(axis=1)
    apart = psi_each(runs.total - seen, seen)
    typical = round(1 / float(np.mean(1 / np.maximum(rows, 1))))
    chance = _sampling(runs.total, typical, runs.rows - typical)
    mean = max(float(apart.mean()) - chance.mean, 0.0)
    bins = max(int(np.count_nonzero(runs.total)) - 1, 1)
    beyond = float(apart.var()) - chance.variance - 4 * chance.mean / bins * mean
    widest = 2 * mean**2  # of all bins moving together
    least = widest / bins if pieces >= ENOUGH_RUNS else widest
    variance = float(np.clip(beyond, least, widest))
    return _Part(mean, variance, max(float(apart.var()), variance) / pieces)


def _slope(seen: Mapping[int, _Part]) -> float:
    """How fast the excess falls with the window's length, beyond what was looked at.

    One for rows that forget (their errors average out), none for a slow wave; between runs of a
    quarter and of the whole length it is seen, unless the excess may be chance.
    """
    whole, quarter = seen[1], seen.get(4, seen[1])
    if whole.mean < 2 * whole.unsure**0.5 or not whole.mean:
        return 1.0
    return float(np.clip(log(max(quarter.mean, 1e-12) / whole.mean) / log(4), 0.0, 1.0))
