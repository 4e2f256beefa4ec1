"""The chance of a count or a number when nothing has changed, judged by earlier ones like it. Pure.

All are predictive: the error of what is expected counts too, so that a short history is slow to
call anything unlikely.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median, median_low

import numpy as np

FEWEST = 4  # runs or earlier values, of which a spread can be said
REMEMBERED = 60  # earlier values: what was longer ago says little about now
FAR = 5.0  # standard deviations; an earlier value further off was a fault of its own
LEAST = 1e-300


@dataclass(frozen=True)
class Expected:
    """What was to be expected, and the chance of a value at least as far off."""

    value: float
    p_value: float


def count(found: int, rows: int, runs: Sequence[tuple[int, int]]) -> Expected:
    """Judge a count of ``rows`` by ``(count, rows)`` of earlier runs of neighbouring rows.

    Beta-binomial (Williams, The analysis of binary responses from toxicological experiments,
    1975): counts of runs scatter more than those of independent rows, by the moments of their
    shares; as in Laney's p' chart (2002). The spread is taken at the upper end of what so few
    runs allow (chi-square, 90 %), the mean from Jeffreys' prior. Two-sided.
    """
    from scipy.stats import betabinom

    total, of = sum(k for k, _ in runs), sum(n for _, n in runs)
    share = (total + 0.5) / (of + 1)
    sampling = share * (1 - share)
    extra = _between(runs, share) * (1 + 1 / max(len(runs), 1))
    weight = max(sampling / (extra + sampling / (of + 2)) - 1, 1e-3)
    chances = betabinom(rows, share * weight, (1 - share) * weight)
    p = 2 * min(float(chances.sf(found - 1)), float(chances.cdf(found)))
    return Expected(total / of if of else share, float(np.clip(p, LEAST, 1.0)))


def runs_of(rows: int, blocks: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join neighbouring blocks of ``(count, rows)`` to runs of about as many rows.

    There are at least ``FEWEST`` runs: for a window that is too large for that they are shorter,
    and scatter more.
    """
    total = sum(n for _, n in blocks)
    wanted = min(rows, total // FEWEST)
    runs, k, n = [], 0, 0
    for found, size in blocks:
        k, n = k + found, n + size
        if n >= wanted:
            runs.append((k, n))
            k, n = 0, 0
    return runs if runs else [(k, n)]


def number(found: float, earlier: Sequence[float], *, least: float = 0.0) -> Expected | None:
    """Judge a number by earlier ones: median, and Student's t of those that are no outliers.

    ``least`` is a standard deviation that is usual anyway. None: too few earlier values.
    """
    values = np.asarray(earlier, dtype=float)[-REMEMBERED:]
    return _judged(found, values, np.full(len(values), None), None, least)


def seasonal(
    found: float,
    at: datetime | None,
    earlier: Sequence[tuple[datetime | None, float]],
    *,
    least: float = 0.0,
) -> Expected | None:
    """Judge a number by earlier ones of the same hour of the day or day of the week.

    Which of the two, the pace of the values says; without two earlier values of its own season a
    number is judged by all of them.
    """
    recent = list(earlier)[-REMEMBERED:]
    season = _season([t for t, _ in recent if t])
    values = np.asarray([v for _, v in recent], dtype=float)
    groups = np.asarray([season(t) for t, _ in recent], dtype=object)
    mine = season(at)
    if mine is None or (groups == mine).sum() < 2:
        groups, mine = np.full(len(values), None), None
    return _judged(found, values, groups, mine, least)


def _judged(
    found: float, values: np.ndarray, groups: np.ndarray, mine: object, least: float
) -> Expected | None:
    """Student's t of the distance from the group's median, in spreads about the medians."""
    from scipy.stats import t

    names = set(groups.tolist())
    if len(values) < FEWEST + len(names) - 1:
        return None
    middle = {name: median(values[groups == name].tolist()) for name in names}
    off = np.asarray([v - middle[g] for v, g in zip(values, groups, strict=True)])
    robust = 1.4826 * float(np.median(np.abs(off)))
    kept = off[np.abs(off) <= FAR * robust] if robust else off
    freedom = max(len(kept) - len(names), 1)
    spread = max(float(np.sqrt((kept**2).sum() / freedom)), least)
    like = int((groups == mine).sum())
    distance = abs(found - middle[mine])
    if not spread:
        return Expected(middle[mine], LEAST if distance else 1.0)
    error = spread * np.sqrt(1 + np.pi / 2 / like)  # a median of n has pi/2 the variance of a mean
    return Expected(middle[mine], max(float(2 * t.sf(distance / error, freedom)), LEAST))


def _season(times: Sequence[datetime]) -> Callable[[datetime | None], int | None]:
    gaps = [b - a for a, b in pairwise(sorted(times)) if b > a]
    pace = median_low(gaps) if gaps else timedelta.max
    if pace > timedelta(days=4):
        return lambda _: None
    if pace > timedelta(hours=12):
        return lambda at: at.weekday() if at else None
    return lambda at: at.hour if at else None


def _between(runs: Sequence[tuple[int, int]], share: float) -> float:
    """Variance of the runs' shares beyond that of independent rows."""
    from scipy.stats import chi2

    if len(runs) < 2:
        return 0.0
    sizes = np.asarray([n for _, n in runs], dtype=float)
    shares = np.asarray([k for k, _ in runs], dtype=float) / np.maximum(sizes, 1)
    freedom = len(runs) - 1
    seen = float(shares.var(ddof=1))
    own = share * (1 - share) * float(np.mean(1 / np.maximum(sizes, 1)))
    if seen * freedom <= own * float(chi2.isf(0.1, freedom)):  # no more than chance
        return 0.0
    return max(seen * freedom / float(chi2.ppf(0.1, freedom)) - own, 0.0)
