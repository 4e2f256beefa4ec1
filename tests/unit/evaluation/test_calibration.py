"""Calibration: honest chances pass, pushed ones are refused, few rows are no proof."""

import numpy as np
import pytest

from trimtab.evaluation import calibration


def drawn(n: int, push: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and chances whose odds are raised to ``push`` (over-confident above 1)."""
    rng = np.random.default_rng(seed)
    p = rng.beta(1, 4, n)
    y = (rng.random(n) < p).astype(float)
    odds = (p / (1 - p)) ** push
    return y, odds / (1 + odds)


def test_honest_chances_are_close_and_pushed_ones_are_not() -> None:
    honest = calibration.measure(*drawn(20_000), None)
    pushed = calibration.measure(*drawn(20_000, 2.5), None)
    assert honest.error < 0.01
    assert pushed.error > 0.08
    assert calibration.rule(honest, 0.03).passed
    refused = calibration.rule(pushed, 0.03)
    assert (refused.passed, refused.decides) == (False, "reject")
    assert "train.calibrate" in refused.reason


def test_what_chance_gives_a_perfect_model_is_known() -> None:
    found = [calibration.measure(*drawn(400, seed=seed), None) for seed in range(200)]
    error, chance = np.mean([f.error for f in found]), np.mean([f.chance for f in found])
    assert error == pytest.approx(chance, rel=0.15)


def test_few_rows_hold() -> None:
    found = calibration.measure(*drawn(120, seed=4), None)
    rule = calibration.rule(found, found.error - 0.001)
    assert (rule.passed, rule.decides) == (False, "hold")


def test_of_several_classes_the_likeliest_counts() -> None:
    rng = np.random.default_rng(0)
    p = rng.dirichlet([1, 1, 1], 20_000)
    y = np.array(["a", "b", "c"])[(p.cumsum(axis=1) < rng.random((20_000, 1))).sum(axis=1)]
    assert calibration.measure(y, p, ("a", "b", "c")).error < 0.01
    sure = np.eye(3)[p.argmax(axis=1)]
    assert calibration.measure(y, sure, ("a", "b", "c")).error > 0.3


def test_without_a_limit_it_is_told_and_decides_nothing() -> None:
    assert calibration.rule(calibration.measure(*drawn(400, 5), None), None).passed


def test_another_calibration_has_to_be_a_better_one() -> None:
    honest = calibration.measure(*drawn(20_000), None)
    pushed = calibration.measure(*drawn(20_000, 2.5), None)
    better = calibration.again(honest, pushed, version=3)
    assert better.passed
    for now in (pushed, honest):
        worse = calibration.again(now, honest, version=3)
        assert not worse.passed
        assert worse.decides == "reject"
        assert "champion version 3" in worse.reason


def test_a_constant_answer_has_one_bin() -> None:
    y = np.r_[np.ones(40), np.zeros(60)]
    assert calibration.measure(y, np.full(100, 0.5), None).error == pytest.approx(0.1)
