"""Faults and shifts of columns, told apart by the profiles and the window's own values."""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from trimtab.monitoring import profile, shape
from trimtab.monitoring.profile import Kind

N = 4000
CENTRED = np.random.default_rng(1).normal(size=N)
LENGTHS = np.random.default_rng(2).gamma(4.0, 2.5, N)
WARMTH = np.random.default_rng(3).normal(15.0, 6.0, N)
KINDS = np.random.default_rng(4).choice(["a", "b", "c"], p=[0.5, 0.3, 0.2], size=N)


def seen(before: Any, after: Any, kind: Kind = "numeric") -> shape.Shape:
    old = profile.build(pl.DataFrame({"x": before}), {"x": kind})["x"]
    frame = pl.DataFrame({"x": after}, strict=False)
    new = profile.measure(frame, {"x": old})["x"]
    values = frame["x"].drop_nulls().to_numpy() if kind == "numeric" else ()
    return shape.of(old, new, values)


def fresh(of: Any, seed: int, n: int = 1000) -> Any:
    return np.random.default_rng(seed).choice(of, n)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("values", "factor"),
    [(LENGTHS, 1000.0), (LENGTHS, 1 / 1.609344), (WARMTH, 3.6), (CENTRED, 10.0), (LENGTHS, 0.137)],
)
def test_another_unit(values: Any, factor: float, seed: int) -> None:
    found = seen(values, fresh(values, seed) * factor)
    assert found.change == "scale"
    assert found.factor == pytest.approx(factor, rel=0.05)


@pytest.mark.parametrize("seed", range(5))
def test_another_origin(seed: int) -> None:
    now = fresh(WARMTH, seed)
    assert seen(WARMTH, now * 1.8 + 32).change == "offset"
    assert seen(WARMTH, now + 273.15).change == "offset"
    assert seen(LENGTHS, fresh(LENGTHS, seed) + 1e4).change == "offset"


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("values", "change"),
    [
        (CENTRED, lambda x: x + 1),
        (CENTRED, lambda x: x * 1.6),
        (LENGTHS, lambda x: x + 5),
        (LENGTHS, lambda x: x * 1.3),
        (WARMTH, lambda x: x - 8),
    ],
)
def test_another_world(values: Any, change: Callable[[Any], Any], seed: int) -> None:
    assert seen(values, change(fresh(values, seed))).change == "shift"


def test_missing_values() -> None:
    some = [None if i % 4 == 0 else float(x) for i, x in enumerate(fresh(WARMTH, 0))]
    assert seen(WARMTH, some).change == "nulls"
    assert seen(WARMTH, [None] * 500).change == "nulls"
    few = [None if i % 40 == 0 else float(x) + 9 for i, x in enumerate(fresh(WARMTH, 0))]
    assert seen(WARMTH, few).change == "shift", "most of it is no missing value"
    gaps = [None if i % 2 else float(x) for i, x in enumerate(WARMTH)]
    assert seen(gaps, fresh(WARMTH, 0) + 9).change == "shift", "fewer are missing than before"


def test_one_value_where_there_were_many() -> None:
    assert seen(WARMTH, np.full(500, 15.0)).change == "stuck"
    half = np.where(np.arange(1000) % 2, fresh(WARMTH, 0), -999.0)
    assert seen(WARMTH, half).change == "stuck"
    assert seen(KINDS, ["a"] * 500, "categorical").change == "stuck"


def test_categories() -> None:
    now = fresh(KINDS, 0)
    assert seen(KINDS, np.where(now == "b", "B2", now), "categorical").change == "renamed"
    assert seen(KINDS, np.char.upper(now), "categorical").change == "renamed"
    new = np.where(np.arange(1000) % 8, now, "d")
    assert seen(KINDS, new, "categorical").change == "new_values"
    more = np.where(np.arange(1000) % 3, now, "c")
    assert seen(KINDS, more, "categorical").change == "shift"
    gone = now[now != "b"]
    assert seen(KINDS, gone, "categorical").change == "shift", "nothing has taken its place"


@pytest.mark.parametrize("seed", range(5))
def test_a_common_number_that_gets_more_common_is_no_filler(seed: int) -> None:
    marks = np.array([0.0, 4.5, 14.5, 24.5, 34.5, 44.5, 64.5, 100.0])
    draw = np.random.default_rng(seed)
    before = draw.choice(marks, N, p=[0.1, 0.4, 0.3, 0.1, 0.04, 0.03, 0.02, 0.01])
    now = draw.choice(marks, 600, p=[0.1, 0.7, 0.1, 0.05, 0.02, 0.01, 0.01, 0.01])
    assert seen(before, now).change == "shift"


@pytest.mark.parametrize("seed", range(5))
def test_of_few_values_of_a_wide_column_no_unit_is_read(seed: int) -> None:
    """Budgets, votes: the largest of a hundred say nothing of a unit."""
    wide = np.random.default_rng(9).lognormal(14.0, 2.0, 350)
    now = np.random.default_rng(seed).lognormal(16.0, 1.3, 90)
    assert seen(wide, now).change == "shift"


@pytest.mark.parametrize("seed", range(5))
def test_a_sudden_unit_is_seen_though_the_column_wanders(seed: int) -> None:
    now = (fresh(LENGTHS, seed, 4000) * 1.01 + 0.15) * 1.609344
    old = profile.build(pl.DataFrame({"x": LENGTHS}), {"x": "numeric"})["x"]
    new = profile.measure(pl.DataFrame({"x": now}), {"x": old})["x"]
    assert shape.of(old, new, now, sudden=True).factor == pytest.approx(1.609344)
    grown = fresh(LENGTHS, seed) * 1.3
    new = profile.measure(pl.DataFrame({"x": grown}), {"x": old})["x"]
    assert shape.of(old, new, grown, sudden=True).change == "shift"


def test_a_clear_week_is_no_stuck_instrument() -> None:
    clear = np.random.default_rng(1).choice(
        [10.0, 7.0, 4.0, 2.0, 1.0], N, p=[0.8, 0.1, 0.05, 0.03, 0.02]
    )
    assert seen(clear, np.full(300, 10.0)).change == "shift"
    assert seen(clear, np.full(300, 2.0)).change == "stuck"


def test_a_calm_week_is_no_filler() -> None:
    draw = np.random.default_rng(1)
    wind = np.where(draw.random(N) < 0.15, 0.0, draw.gamma(3.0, 3.0, N))
    calm = np.where(draw.random(600) < 0.45, 0.0, draw.gamma(2.0, 2.0, 600))
    assert seen(wind, calm).change == "shift"
