"""How a recipe's score falls with the age of the model, by walking forward over recorded rows.

A model is fitted at each of several cuts and scored on every later stretch of weeks. What an old
model lost is the score of the model that was fresh at that stretch, less its own, on the same rows:
a hard season is hard for both and does not look like decay.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trimtab.errors import NotReadyError
from trimtab.training.split import Rows, sample

Score = Callable[[Rows, Sequence[Rows]], list[float]]  # fit on rows, score on each of others
FITS, FIT_ROWS, SCORED_ROWS = 12, 20_000, 5_000  # at most: of all, of one fit, of one stretch
LEAST_STRETCHES = 4
_LEAST_PAIRS = 3  # stretches on which an age is compared
_LEAST_SCORED = 30  # rows of a stretch
_WEEK = np.timedelta64(7, "D").astype("timedelta64[us]")


@dataclass(frozen=True)
class Walk:
    """The cuts: positions each model is fitted on, and those of the stretch that follows it."""

    weeks: int  # of one stretch
    fit: tuple[Rows, ...]
    scored: tuple[Rows, ...]

    @property
    def rows(self) -> Rows:
        """Every position that is used."""
        return np.unique(np.concatenate([*self.fit, *self.scored]))


@dataclass(frozen=True)
class Decay:
    """The curve: one entry for each age that was compared often enough."""

    weeks: tuple[int, ...]  # age of the model at the end of the stretch
    scores: tuple[float, ...]  # of fresh models over all stretches, less the loss
    losses: tuple[float, ...]  # mean over the stretches
    errors: tuple[float, ...]  # standard error of that mean


def plan(
    time: NDArray[np.datetime64], *, delay: np.timedelta64, least_rows: int, seed: int
) -> Walk:
    """Cut the time after the oldest third of the rows into stretches of whole weeks.

    Every model gets as many rows as there are before the first cut, the newest before its own,
    sampled down to a bound. ``delay`` is how long a label takes to be known: rows younger than
    that were not there to learn from at the cut.

    Raises:
        NotReadyError: there are too few weeks or rows for a curve.
    """
    order = np.argsort(time, kind="stable")
    when = time[order].astype("datetime64[us]")
    late = when[-1] - when[len(when) // 3] if len(when) else np.timedelta64(0, "us")
    whole = int(late / _WEEK)
    if whole < LEAST_STRETCHES:
        raise NotReadyError(
            f"{whole} weeks after the oldest third of the rows; a decay curve needs at least "
            f"{LEAST_STRETCHES}"
        )
    weeks = math.ceil(whole / FITS)
    count = whole // weeks
    cuts = when[-1] - _WEEK * weeks * np.arange(count, 0, -1)
    begin = np.searchsorted(when, cuts)
    known = np.searchsorted(when, cuts - delay.astype("timedelta64[us]"))
    if known[0] < least_rows:
        raise NotReadyError(
            f"{known[0]} rows are known before the first cut; a fit needs at least {least_rows}"
        )
    ends = [*begin[1:], len(order)]
    fit = [sample(order[at - known[0] : at], FIT_ROWS, seed) for at in known]
    scored = [
        sample(order[start:end], SCORED_ROWS, seed) for start, end in zip(begin, ends, strict=True)
    ]
    return Walk(weeks, tuple(fit), tuple(scored))


def measure(walk: Walk, score: Score, tell: Callable[[int, int], None]) -> Decay:
    """Fit at every cut and score every later stretch; ``tell`` hears of each fit before it.

    Raises:
        NotReadyError: too few stretches have a finite score.
    """
    count = len(walk.fit)
    table = np.full((count, count), np.nan)
    for i, rows in enumerate(walk.fit):
        tell(i + 1, count)
        table[i, i:] = score(rows, walk.scored[i:])
    thin = [len(rows) < _LEAST_SCORED for rows in walk.scored]
    table[:, thin] = np.nan
    fresh = np.diag(table)
    if np.isfinite(fresh).sum() < LEAST_STRETCHES:
        raise NotReadyError(
            f"{int(np.isfinite(fresh).sum())} of {count} stretches have enough rows and a finite "
            f"score; a decay curve needs {LEAST_STRETCHES}"
        )
    found = []
    for age in range(count):
        lost = fresh[age:] - np.diag(table, age)
        lost = lost[np.isfinite(lost)]
        if len(lost) < _LEAST_PAIRS:
            break
        error = float(lost.std(ddof=1) / math.sqrt(len(lost)))
        found.append((walk.weeks * (age + 1), float(lost.mean()), error))
    weeks, losses, errors = zip(*found, strict=True)
    mean = float(np.nanmean(fresh))
    return Decay(weeks, tuple(mean - loss for loss in losses), losses, errors)


def oldest_within(decay: Decay, margin: float) -> int | None:
    """Return the last age before the loss leaves the margin for good; None when it never does.

    A loss counts when it is beyond the margin by more than its standard error, at that age and at
    the next: one bad stretch is no decay.
    """
    beyond = [loss - error > margin for loss, error in zip(decay.losses, decay.errors, strict=True)]
    for at, over in enumerate(beyond):
        if over and all(beyond[at : at + 2]):
            return decay.weeks[max(at - 1, 0)]
    return None
