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


def test_equal_models_are_seldom_superior() -> None:
    """Smaller twin of the benchmark: both models are equally noisy views of the same signal."""
    rng = np.random.default_rng(11)
    false = 0
    for seed in range(60):
        y = (rng.random(800) < 0.4).astype(float)
        a, b = (y + rng.normal(0, 1, 800) for _ in range(2))
        made = plan(800, seed=str(seed))
        low = made.interval(
            score("roc_auc", y, a) - score("roc_auc", y, b),
            made.values("roc_auc", y, a) - made.values("roc_auc", y, b),
        ).low
        false += low > 0
    assert false <= 5  # 2.5 % expected; more than 5 of 60 has a chance below 0.3 %
