"""Bars of importance beside their numbers, for the pages: where they begin and end."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from trimtab.types import ColumnImportance, Importance

MOST = 40  # features a page shows
WIDTH = 200  # of the longest bar with its spread, in SVG units


@dataclass(frozen=True)
class Bar:
    """One feature: its bar from zero to the mean, and its spread, in SVG units."""

    column: ColumnImportance
    left: float
    length: float
    low: float
    high: float


@dataclass(frozen=True)
class Bars:
    """The features of a version, most important first."""

    importance: Importance
    bars: tuple[Bar, ...]
    zero: float
    width: int = WIDTH

    @classmethod
    def of(cls, importance: Importance) -> Self:
        """Lay the bars out on one axis that holds zero, every mean and its spread."""
        shown = importance.columns[:MOST]
        means = np.nan_to_num([column.permutation for column in shown])
        spreads = np.nan_to_num([column.spread for column in shown])
        low, high = min(0.0, *(means - spreads)), max(0.0, *(means + spreads))
        scale = WIDTH / ((high - low) or 1.0)

        def at(value: float) -> float:
            return round(float((value - low) * scale), 1)

        bars = tuple(
            Bar(
                column,
                left=min(at(0.0), at(mean)),
                length=round(abs(at(mean) - at(0.0)), 1),
                low=at(mean - spread),
                high=at(mean + spread),
            )
            for column, mean, spread in zip(shown, means, spreads, strict=True)
        )
        return cls(importance, bars, at(0.0))

    @property
    def costs(self) -> bool:
        """Whether the cost of any feature is known."""
        return any(bar.column.cost for bar in self.bars)

    @property
    def left_out(self) -> int:
        """Features that are not shown."""
        return len(self.importance.columns) - len(self.bars)

    @property
    def useless(self) -> list[str]:
        """Names of all features that are worth no more than noise."""
        return [column.column for column in self.importance.columns if column.useless]
