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
MANY = 1_000  # of more a share is continuous
KNOWN = 1e6  # degrees of freedom of a spread that is not estimated
LEAST = 1e-300


@dataclass(frozen=True)
class Expected:
    """What was to be expected, and the chance of a value at least as far off."""

    value: float
    p_value: float


def count(found: int, rows: int, runs: Sequence[tuple[int, int]]) -> Expected:
    """Judge a count of ``rows`` by ``(count, rows)`` of earlier runs of neighbouring rows.

    Beta-binomial (Williams 1975, Biometrics 31): the shares of runs scatter more than those of
    independent rows, as in Laney's p' chart (2002). The mean is Jeffreys', the spread the upper
    end of what so few runs allow (chi-square, 90 %). Faults come in bursts, which no such curve
    has; so the window may also, as one of so many, be like the most extreme run. Two-sided.
    """
    if not rows or not runs:
        return Expected(0.0, 1.0)
    total, of = sum(k for k, _ in runs), sum(n for _, n in runs)
    share = (total + 0.5) / (of + 1)
    sampling = share * (1 - share)
    weight = max(sampling / (_between(runs, share) + sampling / (of + 2)) - 1, 1e-3)
    like = share * weight, (1 - share) * weight
    by_share = sorted(runs, key=lambda run: run[0] / max(run[1], 1))
    (k_low, n_low), (k_high, n_high) = by_share[0], by_share[-1]
    lowest, highest = (k_low + 0.5, n_low - k_low + 0.5), (k_high + 0.5, n_high - k_high + 0.5)
    above = _more(found, rows, *like) + _more(found, rows, *highest) / (len(runs) + 1)
    below = _less(found, rows, *like) + _less(found, rows, *lowest) / (len(runs) + 1)
    p = float(np.clip(2 * min(above, below), LEAST, 1.0))
    return Expected(total / of if of else share, p)


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
    patient: bool = False,
) -> Expected | None:
    """Judge a number by earlier ones of the same hour of the day or day of the week.

    Which of the two, the pace of the values says. Without two earlier values of its own season a
    number is judged by all of them, and may also be like the one there is. With ``patient`` a
    season too young for that is not judged before two weeks (days) have been seen.
    """
    recent = list(earlier)[-REMEMBERED:]
    season, length = _season([t for t, _ in recent if t])
    values = np.asarray([v for _, v in recent], dtype=float)
    groups = np.asarray([season(t) for t, _ in recent], dtype=object)
    mine = season(at)
    like = 0 if mine is None else int((groups == mine).sum())
    by_season = _judged(found, values, groups, mine, least) if like else None
    if patient and mine is not None and by_season is None and len(values) < 2 * length:
        return None
    if like >= 2:
        return by_season
    by_all = _judged(found, values, np.full(len(values), None), None, least)
    both = [each for each in (by_all, by_season) if each]
    return max(both, key=lambda each: each.p_value, default=None)


def _judged(
    found: float, values: np.ndarray, groups: np.ndarray, mine: object, least: float
) -> Expected | None:
    """Student's t of the distance from the group's median, in spreads about the medians.

    As one of so many it may also be as far off as the farthest but one (that one was a fault).
    """
    from scipy.stats import t

    names = set(groups.tolist())
    if len(values) < FEWEST + len(names) - 1:
        return None
    middle = {name: median(values[groups == name].tolist()) for name in names}
    off = np.abs([v - middle[g] for v, g in zip(values, groups, strict=True)])
    robust = 1.4826 * float(np.median(off))
    kept = off[off <= FAR * robust] if robust else off
    freedom = float(max(len(kept) - len(names), 1))
    seen = float(np.sqrt((kept**2).sum() / freedom))
    spread = max(seen, least)
    if spread > seen:  # it is known, the less of it was seen the better
        freedom = min(freedom * (spread / seen) ** 2, KNOWN) if seen else KNOWN
    distance = abs(found - middle[mine])
    if not spread:
        return Expected(middle[mine], LEAST if distance else 1.0)
    like = int((groups == mine).sum())
    error = spread * np.sqrt(1 + np.pi / 2 / like)  # a median of n has pi/2 the variance of a mean
    beyond = max(distance - float(np.sort(off)[-2]), 0.0)
    p = 2 * t.sf(distance / error, freedom) + 2 * t.sf(beyond / error, freedom) / (len(off) + 1)
    return Expected(middle[mine], float(np.clip(p, LEAST, 1.0)))


def _season(times: Sequence[datetime]) -> tuple[Callable[[datetime | None], int | None], int]:
    """What season a time is of, and how many seasons there are."""
    gaps = [b - a for a, b in pairwise(sorted(times)) if b > a]
    pace = median_low(gaps) if gaps else timedelta.max
    if pace > timedelta(days=4):
        return (lambda _: None), 0
    if pace > timedelta(hours=12):
        return (lambda at: at.weekday() if at else None), 7
    return (lambda at: at.hour if at else None), 24


def _between(runs: Sequence[tuple[int, int]], share: float) -> float:
    """Variance of a run's share about the mean of ``runs``, beyond that of independent rows.

    Neighbouring runs are alike, so that they tell as much as fewer independent ones.
    """
    from scipy.stats import chi2

    if len(runs) < 3:
        return 0.0
    sizes = np.asarray([max(n, 1) for _, n in runs], dtype=float)
    shares = np.asarray([k for k, _ in runs], dtype=float) / sizes
    seen = float(shares.var(ddof=1))
    own = share * (1 - share) * float(np.mean(1 / sizes))
    if seen * (len(runs) - 1) <= own * float(chi2.isf(0.1, len(runs) - 1)):
        return 0.0  # no more than chance
    off = shares - shares.mean()
    alike = float(np.clip((off[1:] * off[:-1]).sum() / (off**2).sum(), 0.0, 0.9))
    worth = max(len(runs) * (1 - alike) / (1 + alike), 2.0)
    largest = seen * (worth - 1) / float(chi2.ppf(0.1, worth - 1))
    return max(largest - own, 0.0) * (1 + 1 / worth)


def _more(found: int, rows: int, a: float, b: float) -> float:
    """Chance of at least so many of ``rows``, whose share has the distribution beta(a, b)."""
    from scipy.stats import beta, betabinom

    if found <= MANY:
        return max(float(betabinom.sf(found - 1, rows, a, b)), 0.0)
    return float(beta.sf((found - 0.5) / rows, *_wider(rows, a, b)))


def _less(found: int, rows: int, a: float, b: float) -> float:
    """Chance of at most so many."""
    from scipy.stats import beta, betabinom

    if found <= MANY:
        return float(betabinom.cdf(found, rows, a, b))
    return float(beta.cdf((found + 0.5) / rows, *_wider(rows, a, b)))


def _wider(rows: int, a: float, b: float) -> tuple[float, float]:
    """The beta distribution with the variance of a share of ``rows``."""
    weight = (a + b + 1) * rows / (rows + a + b) - 1
    return a / (a + b) * weight, b / (a + b) * weight
