"""Dot plots: everything lies on the axis, whatever the numbers are."""

import math

import pytest

from trimtab.evaluation.plot import Dot, Line, Plot


def share(plot: Plot, value: float) -> float:
    return float(plot.x(value).removesuffix("%"))


def test_values_intervals_limits_and_lines_lie_inside() -> None:
    plot = Plot((Dot("a", 0.5, 0.4, 0.6, other=0.3, limit=0.1),), (Line(0.9, "most"),))
    places = [share(plot, value) for value in (0.1, 0.3, 0.4, 0.5, 0.6, 0.9)]
    assert places == sorted(places)
    assert places[0] > 0
    assert places[-1] < 100


def test_positions_are_in_proportion() -> None:
    plot = Plot((Dot("a", 0.0), Dot("b", 1.0)))
    assert share(plot, 0.5) == pytest.approx(50)
    assert share(plot, 1.0) - share(plot, 0.5) == pytest.approx(100 / 2.24, abs=0.02)


@pytest.mark.parametrize("value", [0.0, 1.0, -3.5, 1e-9, 1e12])
def test_one_value_has_an_axis(value: float) -> None:
    plot = Plot((Dot("a", value),))
    assert share(plot, value) == pytest.approx(50)
    assert 2 <= len(plot.ticks) <= 7


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_what_is_no_number_breaks_nothing(value: float | None) -> None:
    plot = Plot((Dot("a", value, value, value), Dot("b", 0.5)))
    assert plot.write(value)
    assert not math.isnan(share(plot, 0.5))
    assert plot.dots[0].sure == (value is not None and not math.isnan(value))


def test_the_infinite_lies_at_the_ends() -> None:
    plot = Plot((Dot("a", 0.5, -math.inf, math.inf),))
    assert (plot.x(-math.inf), plot.x(math.inf)) == ("0.00%", "100.00%")


def test_ticks_are_round_and_differences_carry_a_sign() -> None:
    plot = Plot((Dot("a", 0.004, -0.001, 0.009),), sign=True)
    assert [plot.tick(tick) for tick in plot.ticks] == ["0.000", "+0.005"]
    assert plot.write(0.004) == "+0.004"
