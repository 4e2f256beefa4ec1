"""Dot plots as numbers: where things stand on an axis. The templates draw them as SVG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeGuard

from trimtab.evaluation import words


def known(value: float | None) -> TypeGuard[float]:
    """Whether there is a number to draw."""
    return value is not None and not math.isnan(value)


@dataclass(frozen=True)
class Dot:
    """One row of a plot: a value, its interval, a value to compare with, a limit of its own."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    other: float | None = None
    limit: float | None = None
    note: str = ""
    tone: str = "main"  # main | other | faint | bad

    @property
    def sure(self) -> bool:
        """Whether it has an interval."""
        return known(self.low) and known(self.high)


@dataclass(frozen=True)
class Line:
    """A vertical line through all rows: a limit or zero."""

    value: float
    label: str
    tone: str = "limit"  # limit | zero


@dataclass(frozen=True)
class Plot:
    """Dots on one axis that holds all of them."""

    dots: tuple[Dot, ...]
    lines: tuple[Line, ...] = ()
    sign: bool = False
    left_out: int = 0  # rows that were not drawn
    from_zero: bool = False  # the axis begins at zero

    @property
    def range(self) -> tuple[float, float]:
        """The axis' ends: every value with a little air."""
        of_dots = (v for d in self.dots for v in (d.value, d.low, d.high, d.other, d.limit))
        values = [*of_dots, *(line.value for line in self.lines), *([0.0] * self.from_zero)]
        finite = [v for v in values if v is not None and math.isfinite(v)] or [0.0]
        air = (max(finite) - min(finite)) * 0.06 or abs(finite[0]) * 0.1 or 1.0
        return min(finite) - air, max(finite) + air

    def x(self, value: float) -> str:
        """Position of a value as a percentage of the width; what is infinite lies at an end."""
        low, high = self.range
        share = (min(max(value, low), high) - low) / (high - low)
        return f"{100 * share:.2f}%"

    @property
    def ticks(self) -> Sequence[float]:
        """Three to seven round numbers inside the axis."""
        low, high = self.range
        raw = (high - low) / 4
        power = 10 ** math.floor(math.log10(raw))
        step = next(power * m for m in (1, 2, 5, 10) if power * m >= raw)
        first = math.ceil(low / step)
        return [round(i * step, 12) for i in range(first, math.floor(high / step) + 1)]

    def write(self, value: float | None) -> str:
        """A number as this plot shows it."""
        return words.signed(value) if self.sign else words.number(value)

    def tick(self, value: float) -> str:
        """A tick's label: as many digits as the step needs."""
        ticks = self.ticks
        step = ticks[1] - ticks[0] if len(ticks) > 1 else abs(value) or 1.0
        digits = max(0, -math.floor(math.log10(step) + 1e-9))
        return f"{value:+,.{digits}f}" if self.sign and value else f"{value:,.{digits}f}"
