"""Cut the training rows into what trials fit on and what judges them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Data:
    """Features and target of the training rows, and their time, group and weight if they have."""

    frame: pd.DataFrame
    y: NDArray[np.generic]
    time: NDArray[np.datetime64] | None = None
    group: NDArray[np.generic] | None = None
    weight: NDArray[np.float64] | None = None


def validation_tail(data: Data, share: float, seed: int) -> tuple[Rows, Rows]:
    """Return (fit, validation) row positions: the newest rows judge, or random ones by seed.

    Rows of one moment are never on both sides of the cut.
    """
    n = len(data.y)
    count = min(max(1, round(n * share)), n - 1)
    if data.time is None:
        order = np.random.default_rng(seed).permutation(n)
        return np.sort(order[count:]), np.sort(order[:count])
    cut = np.sort(data.time)[n - count]
    late = data.time >= cut
    if late.all():  # one moment only: there is no older part
        late = np.arange(n) >= n - count
    return np.flatnonzero(~late), np.flatnonzero(late)


def sample(rows: Rows, most: int | None, seed: int) -> Rows:
    """Keep at most ``most`` positions, uniformly by seed, in their order."""
    if most is None or len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
