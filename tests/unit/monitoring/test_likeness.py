"""Faults of some rows, of two columns and of clocks, and worlds that only look a little like them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from trimtab.monitoring import likeness

LENGTHS = np.random.default_rng(1).gamma(4.0, 2.5, 5_000)
WARMTH = np.random.default_rng(2).normal(15.0, 6.0, 5_000)
PRICES = np.random.default_rng(3).lognormal(3.0, 1.0, 5_000)


def fresh(of: Any, seed: int, n: int = 2_500) -> Any:
    return np.random.default_rng(seed).choice(of, n)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [0.05, 0.3, 0.7])
@pytest.mark.parametrize(("values", "factor"), [(LENGTHS, 1000.0), (WARMTH, 60.0), (PRICES, 1e6)])
def test_some_rows_in_another_unit(values: Any, factor: float, share: float, seed: int) -> None:
    now = fresh(values, seed)
    some = np.random.default_rng(seed).random(len(now)) < share
    assert likeness.mixed(values, np.where(some, now * factor, now)) == pytest.approx(factor)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "world",
    [
        lambda x, d: x,
        lambda x, d: x * 1.6,
        lambda x, d: x + 20,
        lambda x, d: np.where(d.random(len(x)) < 0.2, x * 3, x),
        lambda x, d: np.where(d.random(len(x)) < 0.1, x + 60, x),
        lambda x, d: np.where(d.random(len(x)) < 0.1, d.pareto(1.0, len(x)) * 40 + 40, x),
        lambda x, d: np.where(d.random(len(x)) < 0.1, 999.0, x),
        lambda x, d: x[:10],
    ],
)
@pytest.mark.parametrize("values", [LENGTHS, WARMTH, PRICES])
def test_a_world_that_moves_is_no_unit(
    values: Any, world: Callable[[Any, Any], Any], seed: int
) -> None:
    now = world(fresh(values, seed), np.random.default_rng(100 + seed))
    assert likeness.mixed(values, now) is None


def test_columns_that_hold_what_the_other_held() -> None:
    warm, long = fresh(WARMTH, 0), fresh(LENGTHS, 0)
    assert likeness.swapped((WARMTH, long), (LENGTHS, warm))
    assert not likeness.swapped((WARMTH, warm), (LENGTHS, long))
    assert not likeness.swapped((WARMTH, long), (LENGTHS, long)), "one of them only"
    assert not likeness.swapped((WARMTH, warm + 9), (LENGTHS, long + 9))
    assert not likeness.swapped((WARMTH, fresh(WARMTH, 1)), (WARMTH, warm)), "nobody could tell"
    assert not likeness.swapped((WARMTH, long[:5]), (LENGTHS, warm[:5]))


def hours(shape: Any, rows: int, seed: int) -> Any:
    draw = np.random.default_rng(seed)
    return np.bincount(draw.choice(24, rows, p=shape / shape.sum()), minlength=24)


DAY = np.array(
    [0, 0, 0, 0, 1, 4, 8, 9, 6, 5, 4, 4, 5, 5, 6, 7, 9, 9, 6, 4, 3, 2, 1, 0], dtype=float
)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("by", [-8, -2, 3, 12])
def test_a_clock_that_was_turned(by: int, seed: int) -> None:
    now = np.roll(hours(DAY, 800, seed), by)
    assert likeness.turned(hours(DAY, 5_000, 9), now) == by


def test_summer_time_and_other_days_are_no_other_zone() -> None:
    before = hours(DAY, 5_000, 9)
    assert likeness.turned(before, hours(DAY, 800, 1)) is None
    assert likeness.turned(before, np.roll(hours(DAY, 800, 1), 1)) is None, "summer time"
    assert likeness.turned(before, hours(np.ones(24), 800, 1)) is None
    assert likeness.turned(hours(np.ones(24), 5_000, 2), hours(np.ones(24), 800, 1)) is None
    night = np.roll(DAY, 12) + DAY
    assert likeness.turned(before, hours(night, 800, 1)) is None, "a night shift as well"
    assert likeness.turned(before, np.zeros(24)) is None
