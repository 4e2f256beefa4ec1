"""Intervals: seeded by content, drawn by day, honest about what cannot be computed."""

import numpy as np
import pytest

from trimtab.evaluation import bootstrap
from trimtab.evaluation.weighted import score


def plan(rows: int, times: np.ndarray | None = None, seed: str = "s") -> bootstrap.Resampling:
    return bootstrap.plan(rows, times, resamples=200, confidence=0.95, seed=seed)


def hours(n: int, step: int = 1) -> np.ndarray:
    return np.datetime64("2026-01-01T00") + np.arange(0, n * step, step).astype("timedelta64[h]")


def test_same_content_same_draws() -> None:
    one, same, other = plan(50), plan(50), plan(50, seed="t")
    assert (one.weights == same.weights).all()
    assert (one.weights != other.weights).any()


@pytest.mark.parametrize(
    ("times", "unit", "blocks"),
    [(None, "row", 240), (hours(240), "day", 10), (hours(24), "hour", 24), (hours(3), "row", 3)],
)
def test_days_when_there_are_enough_else_hours_else_rows(
    times: np.ndarray | None, unit: str, blocks: int
) -> None:
    made = plan(240 if times is None else len(times), times)
    assert made.unit == unit
    assert made.weights.shape == (200, blocks)
    assert (made.weights.sum(axis=1) == blocks).all()


def test_days_that_differ_make_a_wider_interval_than_rows_would() -> None:
    rng = np.random.default_rng(0)
    times = np.repeat(hours(20, 24), 100)
    y = np.repeat(rng.normal(0, 1, 20), 100) + rng.normal(0, 0.1, 2000)
    guess = np.zeros(2000)
    name = "neg_mean_absolute_error"
    widths = []
    for made in (plan(2000, times), plan(2000)):
        found = made.interval(score(name, y, guess), made.values(name, y, guess))
        widths.append(found.high - found.low)
    assert widths[0] > 3 * widths[1]


def test_a_metric_that_is_missing_in_many_draws_has_no_interval() -> None:
    made = plan(40)
    y = np.zeros(40)
    y[0] = 1  # about a third of the draws miss the only positive
    p = np.linspace(1, 0, 40)
    found = made.interval(score("roc_auc", y, p), made.values("roc_auc", y, p))
    assert np.isnan(found.low)
    assert np.isnan(found.high)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    covered = 0
    for seed in range(100):
        y = rng.normal(0, 1, 200)
        made = plan(200, seed=str(seed))
        name = "neg_mean_absolute_error"
        found = made.interval(score(name, y, np.zeros(200)), made.values(name, y, np.zeros(200)))
        covered += found.low <= -np.sqrt(2 / np.pi) <= found.high
    assert 86 <= covered <= 100


def test_days_and_groups_are_each_drawn_and_multiply() -> None:
    times, groups = np.repeat(hours(10, 24), 40), np.tile(np.arange(20).astype(str), 20)
    made = bootstrap.plan(400, times, groups, resamples=300, confidence=0.95, seed="s")
    assert (made.unit, made.clusters) == ("day and group", 10)
    assert made.weights.shape == (300, 200)
    weight = made.weights[:, made.blocks].reshape(300, 10, 40)  # resample, day, row
    alone = weight[:, :, :20]
    assert (alone == weight[:, :, 20:]).all()  # the same group on the same day
    assert np.linalg.matrix_rank(alone[0]) == 1  # a product of one number a day and one a group
    assert weight.mean() == pytest.approx(1, abs=0.05)


def test_many_groups_are_bundled_to_bound_the_memory() -> None:
    many = np.arange(50_000).astype(str)
    made = bootstrap.plan(50_000, None, many, resamples=100, confidence=0.95, seed="s")
    assert made.weights.shape == (100, bootstrap.MAX_BLOCKS)
    crossed = bootstrap.plan(50_000, hours(50_000), many, resamples=100, confidence=0.95, seed="s")
    assert crossed.weights.shape[1] <= bootstrap.MAX_BLOCKS


@pytest.mark.parametrize("clusters", [8, 14, 40])
def test_few_days_make_an_interval_that_still_covers(clusters: int) -> None:
    """Plain percentiles of eight days would cover nine times in ten instead of nineteen in 20."""
    rng, name = np.random.default_rng(clusters), "neg_mean_absolute_error"
    times, covered, plain, rounds = np.repeat(hours(clusters, 24), 5), 0, 0, 300
    for seed in range(rounds):
        error = 3 + np.repeat(rng.normal(0, 1, clusters), 5)
        zero = np.zeros(len(error))
        made = bootstrap.plan(len(error), times, resamples=200, confidence=0.95, seed=str(seed))
        draws = made.values(name, error, zero)
        found = made.interval(score(name, error, zero), draws)
        low, high = np.quantile(draws, [0.025, 0.975])
        covered += found.low <= -3 <= found.high
        plain += low <= -3 <= high
    assert covered >= 0.92 * rounds
    assert plain < covered


def test_one_block_has_no_interval() -> None:
    made = bootstrap.plan(5, None, np.zeros(5), resamples=100, confidence=0.95, seed="s")
    assert np.isnan(made.interval(1.0, np.ones(100)).low)
