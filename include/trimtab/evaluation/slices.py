"""The primary metric in parts of the data: a good average may hide a bad corner."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from trimtab.evaluation.bootstrap import Interval, Resampling
from trimtab.evaluation.case import Answers
from trimtab.evaluation.weighted import score

MISSING = "(missing)"
MAX_VALUES = 20  # a numeric column with more values than this is cut into quarters


@dataclass(frozen=True)
class Slice:
    """One part of the rows: how the challenger does there, and against the champion."""

    column: str
    value: str
    rows: int
    metric: float
    interval: Interval
    champion: float | None = None
    difference: Interval | None = None
    discovered: bool = False  # found by looking for it, not named in the model file

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
            "discovered": self.discovered,
        }


@dataclass(frozen=True)
class Sliced:
    """The slices that are large enough, and how many were not."""

    slices: tuple[Slice, ...]
    skipped: int
    skipped_rows: int
    clusters: int = 2  # what the certainty of their intervals rests on


@dataclass(frozen=True)
class Scored:
    """Both models' answers on the judged rows, ready to be measured in any part of them."""

    name: str  # of the metric
    y: np.ndarray
    challenger: Answers
    champion: Answers | None
    resampling: Resampling

    def part(
        self, column: str, value: str, rows: np.ndarray, *, discovered: bool = False
    ) -> Slice | None:
        """Measure the rows where ``rows`` is true; None where metric or interval do not exist."""
        metric, draws = self._measured(self.challenger, rows)
        interval = self.resampling.interval(metric, draws)
        other = difference = None
        if self.champion:
            other, theirs = self._measured(self.champion, rows)
            difference = self.resampling.interval(metric - other, draws - theirs)
        if not all(np.isfinite(each.low) for each in (interval, difference) if each):
            return None
        n = int(rows.sum())
        return Slice(column, value, n, metric, interval, other, difference, discovered)

    def _measured(self, answers: Answers, rows: np.ndarray) -> tuple[float, np.ndarray]:
        prediction, classes = answers.prediction, answers.classes
        whole = score(self.name, self.y[rows], prediction[rows], classes)
        return whole, self.resampling.values(self.name, self.y, prediction, classes, rows)


def measure(scored: Scored, frame: pd.DataFrame, columns: tuple[str, ...], least: int) -> Sliced:
    """Measure both models in every value of ``columns`` with at least ``least`` rows.

    Raises:
        KeyError: a column is not among the judged rows.
    """
    found, skipped, skipped_rows = [], 0, 0
    for column in columns:
        for value, rows, n in groups(frame[column]):
            part = scored.part(column, value, rows) if n >= least else None
            if part is None:  # too small, or the metric does not exist here
                skipped, skipped_rows = skipped + 1, skipped_rows + n
            else:
                found.append(part)
    return Sliced(tuple(found), skipped, skipped_rows, scored.resampling.clusters)


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
    return float(value) if value is not None and math.isfinite(value) else None
