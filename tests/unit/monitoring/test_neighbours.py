"""Days in a row are alike: no false alarm more than promised, and a change is still seen."""

import numpy as np
import pytest
from tests.unit.monitoring.generated import binary

from trimtab.monitoring import neighbours, reliability
from trimtab.monitoring.neighbours import Sums


def days(seed: int, count: int, alike: float, *, rows: int = 100, off: float = 0.0) -> Sums:
    """Sums of two scores by day; the days are a first-order autoregression."""
    draw = np.random.default_rng(seed)
    day = draw.normal(size=(count, 2))
    for i in range(1, count):
        day[i] = alike * day[i - 1] + np.sqrt(1 - alike**2) * day[i]
    return Sums((day + off) * rows, np.full(count, rows))


def chances(before: int, now: int, alike: float, off: float = 0.0) -> np.ndarray:
    found = []
    for seed in range(400):
        there, here = days(seed, before, alike), days(1000 + seed, now, alike, off=off)
        found.append(neighbours.chance(here.mean - there.mean, here, there))
    return np.array(found)


@pytest.mark.parametrize(("before", "now"), [(28, 28), (28, 7), (28, 1), (10, 7)])
@pytest.mark.parametrize("alike", [0.0, 0.7])
def test_no_more_false_alarms_than_promised(before: int, now: int, alike: float) -> None:
    p = chances(before, now, alike)
    assert (p <= 0.05).mean() <= 0.08  # 5 % and three standard errors
    assert (p <= 0.01).mean() <= 0.025


def test_a_shift_is_seen_among_independent_days_and_less_so_among_alike_ones() -> None:
    plain, alike = (np.mean(chances(28, 28, r, off=1.0) <= 0.01) for r in (0.0, 0.7))
    assert plain > 0.6
    assert 0.02 < alike < plain


def test_a_day_of_many_rows_is_one_day() -> None:
    """The days differ anyway: a window of one day is not surer for its ten thousand rows."""
    p = []
    for seed in range(200):
        there, here = days(seed, 28, 0.0), days(1000 + seed, 1, 0.0, rows=10_000)
        p.append(neighbours.chance(here.mean - there.mean, here, there))
    assert np.mean(np.array(p) <= 0.05) <= 0.1


def test_too_few_days_say_nothing() -> None:
    there, here = days(0, 3, 0.0), days(1, 2, 0.0, off=9.0)
    assert neighbours.chance(here.mean - there.mean, here, there) == 1.0


def test_alike_days_of_a_short_hold_out_are_not_taken_for_miscalibration() -> None:
    """Before likeness was looked at in so few days, every fourth window had p <= 0.05."""
    p = []
    for seed in range(80):
        before = binary(seed, 1600, 8, day_spread=0.42, alike=0.7)
        now = binary(1000 + seed, 1000, 5, day_spread=0.42, alike=0.7)
        p.append(reliability.compare(now, before, None).p_value)
    assert np.mean(np.array(p) <= 0.05) <= 0.12


def test_probabilities_that_are_off_are_seen_through_alike_days() -> None:
    before = binary(0, day_spread=0.3, alike=0.7)
    assert (
        reliability.compare(binary(1, rate=1.2, day_spread=0.3, alike=0.7), before, None).p_value
        < 0.01
    )
