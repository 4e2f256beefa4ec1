"""One column against the target: what tells it, and what only seems to."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from trimtab.association import TOO_GOOD, Labels, score

N = 4000


def labels(y: Any, task: str = "binary") -> Labels:
    return Labels(np.asarray(y), task, np.random.default_rng(1).random(len(y)) < 0.5)


def numbers(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=N)


def test_a_number_that_decides_is_too_good_and_noise_is_not() -> None:
    x = numbers()
    y = labels((x > 0.3).astype(int))
    gaps = pl.Series(np.where(np.arange(N) % 9 == 0, np.nan, x))
    assert score(pl.Series(-x), "numeric", y) > TOO_GOOD["binary"]
    assert score(pl.Series(numbers(1)), "numeric", y) == pytest.approx(0.5, abs=0.05)
    assert 0.98 < score(gaps, "numeric", y) < 0.999  # a gap tells nothing here
    assert score(gaps.is_nan(), "numeric", y) == pytest.approx(0.5, abs=0.05)


def test_that_a_value_is_missing_can_decide() -> None:
    late = numbers() > 0
    told = pl.Series([1.0] * N).to_frame("x").select(pl.when(pl.Series(late)).then("x")).to_series()
    assert score(told, "numeric", labels(late.astype(int))) > TOO_GOOD["binary"]


def test_numbers_and_classes_have_their_own_measure() -> None:
    x = numbers()
    y = labels(2 * x, "regression")
    assert score(pl.Series(x), "numeric", y) > TOO_GOOD["regression"]
    assert score(pl.Series(numbers(1)), "numeric", y) == 0.0
    kinds = np.random.default_rng(2).choice(3, N, p=[0.8, 0.1, 0.1])
    names = pl.Series(["good", "fair", "bad"]).gather(kinds)
    assert score(names, "categorical", labels(kinds, "multiclass")) == 1.0
    other = pl.Series(np.random.default_rng(3).choice(["a", "b"], N))
    assert score(other, "categorical", labels(kinds, "multiclass")) < 0.1


def test_identifiers_do_not_look_like_leaks_by_memorising() -> None:
    customers = np.repeat(np.arange(N // 4), 4)  # four rows each, all of one class
    y = labels(np.random.default_rng(4).integers(0, 2, N // 4)[customers])
    unique = pl.Series([f"row {i}" for i in range(N)])
    assert score(unique, "categorical", y) == pytest.approx(0.5, abs=0.05)
    assert score(pl.Series([f"c{c}" for c in customers]), "categorical", y) < 0.6
    status = pl.Series(np.where(y.y == 1, "closed", "open"))
    assert score(status, "categorical", y) == 1.0


def test_times_count_by_hour_and_weekday_as_models_see_them() -> None:
    begin = np.datetime64("2026-01-01T00:00:00", "us")
    at = pl.Series(begin + np.arange(N) * np.timedelta64(1, "h")).dt.replace_time_zone("UTC")
    assert score(at, "temporal", labels((at.dt.hour() < 8).cast(int))) == 1.0
    newest = labels((np.arange(N) > N / 2).astype(int))  # only the calendar tells it
    assert score(at, "temporal", newest) < 0.6


def test_one_class_cannot_be_told() -> None:
    assert np.isnan(score(pl.Series(numbers()), "numeric", labels(np.zeros(N))))


def test_infinities_and_numbers_no_tree_takes_are_scored() -> None:
    x = numbers()
    y = labels((x > 0.3).astype(int))
    wide = np.where(x > 2.5, np.inf, np.where(x < -2.5, -1e308, x))
    assert score(pl.Series(wide), "numeric", y) > 0.98
