"""Whether the mean of a window's rows differs, when days in a row are alike. Pure.

Rows of a day share its weather, days of a week their campaign: sums of days are a first-order
autoregression here. How alike neighbours are is learnt from both sides together and taken as high
as so few days allow, since what is too low cries for nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from trimtab.monitoring import blocks as by_block

MOST = 0.95  # correlation of neighbours
SURE = 1.28  # standard errors: the upper end of 90 %
LEAST_FREEDOM = 2.5  # of the F distribution, whose second degrees must be above one


@dataclass(frozen=True)
class Sums:
    """Sums of the rows in each block, (b, k), in the order of blocks, and their ``rows``, (b,)."""

    total: Any
    rows: Any

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def mean(self) -> Any:
        """Of all rows, (k,)."""
        return self.total.sum(axis=0) / self.rows.sum()

    @cached_property
    def off(self) -> Any:
        """How far each block's sum is from what the mean would make it, (b, k)."""
        return self.total - np.outer(self.rows, self.mean)

    @property
    def size(self) -> float:
        """Rows of a block, on average."""
        return float(self.rows.mean())


def sums(values: Any, blocks: Any) -> Sums:
    """Sum the rows (n, k) by block; the blocks are in the order of their names."""
    names, index = np.unique(np.asarray(blocks, dtype=str), return_inverse=True)
    total = [np.bincount(index, column, len(names)) for column in values.T]
    return Sums(np.stack(total, axis=1), np.bincount(index))


def chance(apart: Any, now: Sums, before: Sums) -> float:
    """Chance of means (k,) at least so far apart when nothing has changed.

    Hotelling's two-sample T2 as an F. Both sides' blocks vary alike then, so that their
    covariances are pooled; those of a window with more rows are trusted no further. 1.0 where
    there are too few blocks on both sides to say how much they vary.
    """
    from scipy.stats import f

    sides = [side for side in (now, before) if len(side) > 1]
    freedom = sum(len(side) - 1 for side in sides)
    if freedom < by_block.MIN_BLOCKS - 1:
        return 1.0
    r, k = alike(sides), len(apart)
    own = sum(len(side) - inflation(r, len(side)) for side in sides)
    each = sum(side.off.T @ side.off / side.size for side in sides) / own  # variance of a row
    means = inflation(r, len(now)) / len(now) / min(now.size, before.size)
    means += inflation(r, len(before)) / before.rows.sum()
    t2 = float(apart @ np.linalg.pinv(each * means) @ apart)
    # what a variance is worth whose values are alike: Bayley and Hammersley 1946
    worth = max(freedom * (1 - r**2) / (1 + r**2), LEAST_FREEDOM + k - 2)
    return float(f.sf(t2 * (worth - k + 1) / (k * worth), k, worth - k + 1))


def alike(sides: Sequence[Sums]) -> float:
    """Correlation of neighbouring blocks, of the column where it is largest: its upper end."""
    blocks = sum(len(side) for side in sides)
    power = sum((side.off**2).sum(axis=0) for side in sides)
    pairs = sum((side.off[1:] * side.off[:-1]).sum(axis=0) for side in sides)
    seen = np.divide(pairs, power, out=np.zeros_like(power), where=power > 0)
    seen += len(sides) * (1 + 3 * seen) / blocks  # its bias (Kendall 1954)
    r = float(seen.max())
    return float(np.clip(r + SURE * np.sqrt(max(1 - r**2, 0.0) / blocks), 0.0, MOST))


def inflation(r: float, blocks: int) -> float:
    """How many times as much the mean of so many neighbours varies as that of strangers."""
    lag = np.arange(1, blocks)
    return 1 + 2 * float(((1 - lag / blocks) * r**lag).sum())
