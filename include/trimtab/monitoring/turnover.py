"""How the values of a category come and go, and what a renamed one looks like beside that. Pure.

Teams are relegated, routes close, campaigns follow each other: in such a column known values go
and unknown ones take their share all the time. Only more of that than the reference itself has
ever had in a run as long is a fault of the source.
"""

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

import numpy as np
import polars as pl

from trimtab.types import Record

FEWEST = 4  # runs of one length
LOST = 0.1  # of the expected rows: a value with fewer is gone
EXPECTED = 10  # rows: of a value with fewer nobody can say that it is gone
LEAST = 0.01  # share of the rows that a rename concerns at least
BEYOND = 2.0  # times what was ever usual


class Turnover(Record):
    """The values of one column in the reference; runs are of 1, 2, 4, ... of its blocks.

    ``unseen`` has, for a number of blocks, the rows of each run (the second half of them) whose
    value no earlier run has; ``rows`` all of their rows with a value. ``replaced`` is the largest
    share of such a run's rows that a rename would explain as well.
    """

    rows: dict[int, tuple[int, ...]]
    unseen: dict[int, tuple[int, ...]]
    replaced: dict[int, float]

    def length(self, rows: int) -> int | None:
        """Number of blocks that are about as long as ``rows`` rows, rather longer."""
        typical = {blocks: float(np.mean(sizes)) for blocks, sizes in self.rows.items()}
        long = [blocks for blocks, size in typical.items() if size >= rows]
        return min(long, default=max(typical, default=None))

    def usual(self, rows: int) -> list[tuple[int, int]]:
        """Rows of values not seen before, and all rows, of runs about as long as ``rows``."""
        blocks = self.length(rows)
        if blocks is None:
            return []
        return list(zip(self.unseen[blocks], self.rows[blocks], strict=True))


def build(blocks: pl.Series, values: pl.Series, names: Sequence[str], count: int) -> Turnover:
    """Count the values of the reference; ``count`` is the number of its blocks."""
    code = values.replace_strict(list(names), list(range(len(names))), return_dtype=pl.Int64)
    cell = blocks.cast(pl.Int64).to_numpy() * len(names) + code.to_numpy()
    table = np.bincount(cell, minlength=count * len(names)).reshape(count, -1)
    found: dict[str, dict[int, Any]] = {"rows": {}, "unseen": {}, "replaced": {}}
    long = 1
    while count // long >= 2 * FEWEST:
        runs = _runs(table, long)
        half = len(runs) // 2
        found["rows"][long] = tuple(runs.sum(axis=1)[half:].tolist())
        found["unseen"][long] = tuple(_unseen(runs)[half:].tolist())
        found["replaced"][long] = _replaced(runs, half)
        long *= 2
    return Turnover(**found)


def renamed(
    names: Sequence[str], usual: Turnover, now: Mapping[str, int], last: Mapping[str, int]
) -> bool:
    """Whether values of a moment ago gave their rows, one by one, to values nobody knew.

    Args:
        names: the reference's values.
        usual: how they came and went.
        now: rows of each value of the window.
        last: the same of the rows just before, in which no value was renamed.
    """
    rows, before = sum(now.values()), sum(last.values())
    if not rows or not before:
        return False
    due = {name: count / before * rows for name, count in last.items()}
    gone = [e for n, e in due.items() if e >= EXPECTED and now.get(n, 0) <= LOST * e]
    known = {*names, *last}
    new = [count for name, count in now.items() if name not in known]
    lost, gained = sum(gone) / rows, sum(new) / rows
    often = usual.replaced.get(usual.length(rows) or 0, 0.0)
    enough = min(lost, gained) >= LEAST and lost > BEYOND * often
    scale = 1 + rows / before  # what is due is a sample as well
    alike = abs(sum(new) - sum(gone)) <= _room(sum(gone), scale)
    return enough and alike and _each(gone, new, scale)


def _each(gone: Sequence[float], new: Sequence[int], scale: float) -> bool:
    """Whether every value that is gone, largest first, has one of the new that takes its rows."""
    many = sorted((count for count in new if count >= EXPECTED), reverse=True)
    pairs = zip(sorted(gone, reverse=True), many, strict=False)
    return len(gone) == len(many) and all(abs(n - e) <= _room(e, scale) for e, n in pairs)


def _room(due: float, scale: float) -> float:
    """How far a number of rows may be from what is due."""
    return max(0.25 * due, 3 * sqrt(due * scale))


def _runs(table: Any, long: int) -> Any:
    """Counts of runs of ``long`` blocks; those that do not fill a run are the oldest."""
    whole = table[len(table) % long :]
    return whole.reshape(-1, long, table.shape[1]).sum(axis=1)


def _unseen(runs: Any) -> Any:
    """Rows of each run whose value is in no earlier run."""
    before = np.vstack([np.zeros_like(runs[:1]), runs.cumsum(axis=0)[:-1]])
    return np.where(before == 0, runs, 0).sum(axis=1)


def _replaced(runs: Any, first: int) -> float:
    """The largest share of a run that went from values of the run before to unseen ones."""
    unseen, before = _unseen(runs), runs.cumsum(axis=0)
    most = 0.0
    for i in range(max(first, 1), len(runs)):
        rows = int(runs[i].sum())
        lost = _gone(before[i - 1], runs[i], rows, runs[i - 1] > 0)
        most = max(most, min(lost, int(unseen[i])) / max(rows, 1))
    return most


def _gone(before: Any, now: Any, rows: int, recent: Any) -> float:
    """Rows that were to be expected of values that are gone, and had been there until then."""
    expected = before / max(int(before.sum()), 1) * rows
    gone = recent & (expected >= EXPECTED) & (now <= LOST * expected)
    return float(expected[gone].sum())
