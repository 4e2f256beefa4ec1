"""Dot plots as numbers: where things stand on an axis. The templates draw them as SVG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from trimtab.evaluation import words

LEFT, WIDTH, RIGHT = 230, 460, 140  # labels, plot, numbers; in SVG units


@dataclass(frozen=True)
class Dot:
    """One line of a plot: a value, its interval, and another value to compare with."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    other: float | None = None
    note: str = ""
    tone: str = "main"


@dataclass(frozen=True)
class Line:
    """A vertical line: a limit or zero."""

    value: float
    label: str
    tone: str = "limit"


@dataclass(frozen=True)
class Plot:
    """Dots on one axis that holds all of them."""

    dots: tuple[Dot, ...]
    lines: tuple[Line, ...] = ()
    sign: bool = False

    @property
    def range(self) -> tuple[float, float]:
        """The axis' ends: every value with a little air."""
        of_dots = (v for d in self.dots for v in (d.value, d.low, d.high, d.other))
        values = [*of_dots, *(line.value for line in self.lines)]
        finite = [v for v in values if v is not None and math.isfinite(v)] or [0.0]
        air = (max(finite) - min(finite)) * 0.06 or abs(finite[0]) * 0.1 or 1.0
        return min(finite) - air, max(finite) + air

    def x(self, value: float) -> float:
        """Position of a value, in SVG units."""
        low, high = self.range
        return round(LEFT + WIDTH * (value - low) / (high - low), 1)

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

    def anchor(self, line: Line) -> str:
        """Which side a line's label is written on, so that two labels do not meet."""
        if len(self.lines) == 1:
            return "middle"
        return "end" if line.value == min(other.value for other in self.lines) else "start"
