"""The primary metric in parts of the data: a good average may hide a bad corner."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from trimtab.evaluation.bootstrap import Interval, Resampling
from trimtab.evaluation.weighted import score

MISSING = "(missing)"
MAX_VALUES = 20  # a numeric column with more values than this is cut into quarters


@dataclass(frozen=True)
class Slice:
    """One value of one column: how the challenger does there, and against the champion."""

    column: str
    value: str
    rows: int
    metric: float
    interval: Interval
    champion: float | None = None
    difference: Interval | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values for the verdict."""
        return {
            "column": self.column,
            "value": self.value,
            "rows": self.rows,
            "metric": _number(self.metric),
            "interval": [_number(self.interval.low), _number(self.interval.high)],
            "champion": _number(self.champion),
            "difference": [_number(v) for v in self.difference.triple] if self.difference else None,
        }


@dataclass(frozen=True)
class Sliced:
    """The slices that are large enough, and how many were not."""

    slices: tuple[Slice, ...]
    skipped: int
    skipped_rows: int


def measure(
    name: str,
    frame: pd.DataFrame,
    columns: Sequence[str],
    y: np.ndarray,
    challenger: np.ndarray,
    champion: np.ndarray | None,
    resampling: Resampling,
    *,
    classes: Sequence[Any] | None = None,
    champion_classes: Sequence[Any] | None = None,
    min_rows: int,
) -> Sliced:
    """Measure both models in every value of ``columns`` with at least ``min_rows`` rows.

    Raises:
        KeyError: a column is not among the judged rows.
    """
    found, skipped, skipped_rows = [], 0, 0
    for column in columns:
        for value, rows, n in groups(frame[column]):
            small = n < min_rows
            whole = math.nan if small else score(name, y[rows], challenger[rows], classes)
            if not np.isfinite(whole):  # too small, or the metric does not exist here
                skipped, skipped_rows = skipped + 1, skipped_rows + n
                continue
            draws = resampling.values(name, y, challenger, classes, rows)
            interval = resampling.interval(whole, draws)
            other = difference = None
            if champion is not None:
                other = score(name, y[rows], champion[rows], champion_classes)
                theirs = resampling.values(name, y, champion, champion_classes, rows)
                difference = resampling.interval(whole - other, draws - theirs)
            found.append(Slice(column, value, n, whole, interval, other, difference))
    return Sliced(tuple(found), skipped, skipped_rows)


def groups(values: pd.Series) -> Iterator[tuple[str, np.ndarray, int]]:
    """Split by value; missing values are a group of their own, numbers are cut into quarters."""
    if pd.api.types.is_numeric_dtype(values) and values.nunique() > MAX_VALUES:
        values = pd.qcut(values, 4, duplicates="drop")
    codes, labels = pd.factorize(values, sort=True, use_na_sentinel=True)
    for code in range(-1, len(labels)):
        rows = codes == code
        if n := int(rows.sum()):
            yield MISSING if code < 0 else str(labels[code]), rows, n


def _number(value: float | None) -> float | None:
    return float(value) if value is not None and np.isfinite(value) else None
