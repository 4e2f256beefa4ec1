"""Whether the last part of a file looks like the first, in the order of time or of the file."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from trimtab.profiling.columns import Column

BOUND = 0.2  # PSI that counts, beside what chance alone gives
BINS, SLICES = 10, 12
STEADY = 0.9


@dataclass(frozen=True)
class Drift:
    """One column: first third against last third, and its course over equal slices of rows."""

    column: str
    psi: float
    bound: float
    course: tuple[float | None, ...]  # mean, or share of ``level``, of each slice
    level: str = ""

    @property
    def moved(self) -> bool:
        """Whether it moved by more than the bound."""
        return self.psi > self.bound

    @property
    def lasting(self) -> bool:
        """Whether it rises or falls all the way, as a calendar or a counter does.

        By Spearman's rank correlation of its course. It will leave the range it had.
        """
        known = [mean for mean in self.course if mean is not None]
        if not self.moved or self.level or len(known) < SLICES:
            return False
        ranks = pl.Series(known).rank()
        steady = pl.DataFrame({"at": range(SLICES), "rank": ranks}).select(pl.corr("at", "rank"))
        return abs(float(steady.item())) > STEADY


def measure(rows: pl.DataFrame, columns: Sequence[Column]) -> list[Drift]:
    """Measure every column but text and times on rows that stand in order; largest first."""
    third = rows.height // 3
    if third < 30:
        return []
    found = [
        _drift(column, rows[column.name], third)
        for column in columns
        if column.type not in ("text", "time") and not column.constant
    ]
    return sorted(found, key=lambda drift: drift.bound - drift.psi)


def _drift(column: Column, values: pl.Series, third: int) -> Drift:
    first, last = values[:third], values[-third:]
    before, after = _counts(column, first, last)
    bins = max(1, int((before + after > 0).sum()))
    # the PSI of two samples of one distribution is about (bins - 1)(1/n + 1/m); thrice that is rare
    bound = BOUND + 3 * (bins - 1) * 2 / third
    return Drift(column.name, _psi(before, after), bound, *_course(column, values))


def _counts(column: Column, first: pl.Series, last: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    if not column.numeric:
        levels = ["true", "false"] if column.type == "bool" else [text for text, _ in column.top]
        texts = [part.cast(pl.String) for part in (first, last)]
        counts = [[int((t == level).sum()) for level in levels] for t in texts]
        rest = [len(t) - sum(c) - t.null_count() for t, c in zip(texts, counts, strict=True)]
        sides = [[*c, r, t.null_count()] for c, r, t in zip(counts, rest, texts, strict=True)]
        return np.array(sides[0], float), np.array(sides[1], float)
    edges = np.unique(np.quantile(_floats(first), np.linspace(0, 1, BINS + 1)[1:-1]))
    ranges = [
        np.append(
            np.bincount(np.searchsorted(edges, _floats(part)), minlength=len(edges) + 1),
            part.null_count(),
        )
        for part in (first, last)
    ]
    return ranges[0].astype(float), ranges[1].astype(float)


def _floats(values: pl.Series) -> np.ndarray:
    numbers = values.drop_nulls().cast(pl.Float64).to_numpy()
    return numbers if len(numbers) else np.array([0.0])


def _psi(before: np.ndarray, after: np.ndarray) -> float:
    p, q = (before + 0.5) / (before + 0.5).sum(), (after + 0.5) / (after + 0.5).sum()
    used = (before + after) > 0
    return float(((q - p) * np.log(q / p))[used].sum())


def _course(column: Column, values: pl.Series) -> tuple[tuple[float | None, ...], str]:
    level = "" if column.numeric else "true" if column.type == "bool" else column.top[0][0]
    numbers = values if column.numeric else values.cast(pl.String) == level
    size = max(1, len(values) // SLICES)
    means = [numbers.slice(i * size, size).cast(pl.Float64).mean() for i in range(SLICES)]
    return tuple(None if mean is None else float(str(mean)) for mean in means), level
