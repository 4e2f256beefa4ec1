from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from trimtab.monitoring import chance

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)


def test_a_rate_that_never_was_there_is_unlikely_and_a_single_case_is_not() -> None:
    runs = [(0, 500)] * 60
    assert chance.count(1, 500, runs).p_value > 0.01
    assert chance.count(10, 500, runs).p_value < 1e-4
    assert chance.count(100, 500, runs).p_value < 1e-12


def test_few_runs_say_less() -> None:
    some, many = ([(k, 500) for k in (20, 30, 25, 25) * n] for n in (1, 20))
    assert chance.count(45, 500, some).p_value > 10 * chance.count(45, 500, many).p_value


def test_a_rate_that_falls_to_nothing_is_unlikely_too() -> None:
    assert chance.count(0, 500, [(150, 500)] * 30).p_value < 1e-12


def test_a_burst_like_an_earlier_one_is_no_surprise() -> None:
    calm = [(5, 500)] * 59
    assert chance.count(100, 500, [*calm, (5, 500)]).p_value < 1e-8
    assert chance.count(100, 500, [*calm, (100, 500)]).p_value > 1e-3


def test_runs_that_scatter_allow_more() -> None:
    steady = [(50, 1000)] * 40
    apart = [(k, 1000) for k in (20, 80) * 20]
    assert chance.count(100, 1000, steady).p_value < 1e-6
    assert chance.count(90, 1000, apart).p_value > 0.001


def test_no_chance_below_its_level_without_a_change() -> None:
    """Of windows without any change no more than their share is called unlikely, in each setting.

    The control: one row in five more, and most windows are.
    """
    draw = np.random.default_rng(0)
    for rate in (0.0, 0.002, 0.05, 0.5):
        found = []
        for _ in range(20):
            runs = [(int(k), 400) for k in draw.binomial(400, rate, 40)]
            found += [chance.count(int(k), 400, runs).p_value for k in draw.binomial(400, rate, 20)]
        assert np.mean(np.array(found) <= 0.05) <= 0.06, rate
        assert np.mean(np.array(found) <= 0.001) <= 0.005, rate
        more = [chance.count(int(k), 400, runs).p_value for k in draw.binomial(400, rate + 0.2, 20)]
        assert np.mean(np.array(more) <= 0.01) > 0.7, rate


@pytest.mark.parametrize("rows", [100, 1_000, 90_000, 10**7])
def test_any_number_of_rows_has_a_chance_between_nothing_and_one(rows: int) -> None:
    runs = [(rows // 10 + i, rows) for i in range(8)]
    for found in (0, 1, rows // 10, rows // 2, rows):
        assert 0 < chance.count(found, rows, runs).p_value <= 1


def test_neighbouring_blocks_are_joined_to_runs_of_the_windows_size() -> None:
    blocks = [(1, 10)] * 40
    assert chance.runs_of(10, blocks) == blocks
    assert chance.runs_of(25, blocks)[0] == (3, 30)
    assert len(chance.runs_of(10**6, blocks)) == chance.FEWEST


def test_a_number_is_judged_by_the_spread_of_earlier_ones() -> None:
    earlier = [10.0, 11.0, 9.0, 10.5, 9.5, 10.2, 9.8]
    usual = chance.number(10.1, earlier)
    odd = chance.number(20.0, earlier)
    assert usual is not None
    assert odd is not None
    assert usual.value == 10.0
    assert usual.p_value > 0.5
    assert odd.p_value < 1e-4
    assert chance.number(10.0, earlier[:3]) is None, "too few to say"


def test_one_earlier_fault_hides_no_later_one() -> None:
    earlier = [10.0, 11.0, 9.0, 10.5, 9.5, 10.2, 9.8, 10.1, 1000.0]
    again = chance.number(900.0, earlier)
    assert again is not None
    assert again.p_value < 1e-4


def test_a_sunday_is_judged_by_sundays() -> None:
    days = [MONDAY + timedelta(days=i) for i in range(28)]
    draw = np.random.default_rng(1)
    values = [(d, (1.0 if d.weekday() == 6 else 5.0) + draw.normal(0, 0.1)) for d in days]
    sunday, monday = days[-1] + timedelta(days=7), days[0] + timedelta(days=28)
    quiet = chance.seasonal(1.0, sunday, values)
    loud = chance.seasonal(1.0, monday, values)
    assert quiet is not None
    assert loud is not None
    assert quiet.p_value > 0.1
    assert loud.p_value < 1e-6
    without = chance.seasonal(1.0, None, values)
    assert without is not None
    assert without.p_value > 1e-4, "nobody can tell which day it is"


def test_a_number_that_never_changed_may_not_change() -> None:
    same = chance.number(5.0, [5.0] * 6)
    other = chance.number(5.1, [5.0] * 6)
    spared = chance.number(5.1, [5.0] * 6, least=0.1)
    assert same is not None
    assert other is not None
    assert spared is not None
    assert (same.p_value, other.p_value) == (1.0, chance.LEAST)
    assert spared.p_value > 0.1
