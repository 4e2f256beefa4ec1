"""Cut the training rows into what trials fit on and what judges them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Rows = NDArray[np.intp]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Data:
    """Features and target of the training rows, and their weights.

    ``time`` is there when the model is split by time, ``group`` when by group.
    """

    frame: pd.DataFrame
    y: NDArray[np.generic]
    time: NDArray[np.datetime64] | None = None
    group: NDArray[np.generic] | None = None
    weight: NDArray[np.float64] | None = None


def validation_tail(data: Data, share: float, seed: int) -> tuple[Rows, Rows]:
    """Return (fit, validation) row positions: the newest rows judge, or groups or rows by seed.

    Rows of one moment or one group are never on both sides of the cut.
    """
    n = len(data.y)
    count = min(max(1, round(n * share)), n - 1)
    if data.time is None:
        judged = _places(data, seed) < count
    else:
        judged = data.time >= np.sort(data.time)[n - count]
    if judged.all():  # one moment or group only: there is no other part
        judged = np.arange(n) >= n - count
    return np.flatnonzero(~judged), np.flatnonzero(judged)


def folds(data: Data, count: int, seed: int, rows: Rows | None = None) -> list[tuple[Rows, Rows]]:
    """Return (fit, judge) row positions of ``count`` folds, over ``rows`` or all of them.

    By time they expand: of ``count + 1`` parts, each but the first is judged by all before it.
    Else every row is judged once. Folds with an empty side are left out: there can be fewer.
    """
    rows = np.arange(len(data.y)) if rows is None else rows
    if data.time is not None:
        cuts = _expanding(data.time[rows], count)
    else:
        part = _places(data, seed, rows) * count // max(len(rows), 1)
        cuts = [(part != i, part == i) for i in range(count)]
    return [(rows[fit], rows[judge]) for fit, judge in cuts if fit.any() and judge.any()]


def _expanding(time: NDArray[np.datetime64], count: int) -> list[tuple[Mask, Mask]]:
    marks = [len(time) * i // (count + 1) for i in range(1, count + 1)]
    part = np.searchsorted(np.unique(np.sort(time)[marks]), time, side="right")
    return [(part < i, part == i) for i in range(1, count + 1)]


def _places(data: Data, seed: int, rows: Rows | None = None) -> Rows:
    """Shuffle by seed: the place of every row; rows of one group share their group's first."""
    n = len(data.y) if rows is None else len(rows)
    draw = np.random.default_rng(seed)
    if data.group is None:
        places = np.empty(n, dtype=np.intp)
        places[draw.permutation(n)] = np.arange(n)
        return places
    group = data.group if rows is None else data.group[rows]
    _, member, size = np.unique(group, return_inverse=True, return_counts=True)
    order = draw.permutation(len(size))
    first = np.empty(len(size), dtype=np.intp)
    first[order] = np.cumsum(size[order]) - size[order]
    return np.asarray(first[member], dtype=np.intp)


def sample(rows: Rows, most: int | None, seed: int) -> Rows:
    """Keep at most ``most`` positions, uniformly by seed, in their order."""
    if most is None or len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
