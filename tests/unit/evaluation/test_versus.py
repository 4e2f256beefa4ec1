"""Comparisons: what is proven passes, what is refuted is refused, the rest says what is missing."""

import math

import numpy as np
import pytest

from trimtab.config.model import VersusChampion
from trimtab.evaluation import versus
from trimtab.evaluation.bootstrap import Interval
from trimtab.types import Rule

NAN = math.nan


def spec(mode: str = "non_inferior", margin: float = 0.01) -> VersusChampion:
    return VersusChampion(mode=mode, margin=margin)  # type: ignore[arg-type]


def champion(low: float, estimate: float, high: float, mode: str = "non_inferior") -> Rule:
    found = Interval(low, estimate, high)
    return versus.champion("roc_auc", found, spec(mode), rows=1000, version=3)


@pytest.mark.parametrize(
    ("interval", "mode", "passed", "decides"),
    [
        ((-0.005, 0.0, 0.005), "non_inferior", True, None),
        ((-0.02, 0.0, 0.02), "non_inferior", False, "hold"),
        ((-0.05, -0.02, 0.0), "non_inferior", False, "reject"),
        ((0.005, 0.02, 0.03), "superior", True, None),
        ((0.001, 0.005, 0.009), "superior", False, "reject"),  # sure, but less than the margin
        ((-0.01, 0.02, 0.05), "superior", False, "hold"),
        ((-0.01, 0.0, 0.01), "superior", False, "reject"),
        ((NAN, NAN, NAN), "non_inferior", False, "reject"),
    ],
)
def test_champion(interval: tuple, mode: str, passed: bool, decides: str | None) -> None:
    rule = champion(*interval, mode=mode)
    assert rule.passed is passed
    if decides:
        assert rule.decides == decides


def test_hold_says_how_many_more_rows_would_decide() -> None:
    assert "About 7,173 more labelled hold-out rows" in champion(-0.02, 0.0, 0.02).reason
    assert "No 100 times as many rows" in champion(-0.5, -0.009, 0.5).reason


def test_so_many_rows_do_decide_in_about_four_of_five_cases() -> None:
    """The advice is a promise: at that many rows the interval of the same difference clears."""
    error = 0.02 / 1.96 / math.sqrt(1 + 7173 / 1000)
    lows = np.random.default_rng(0).normal(0.0, error, 20_000) - 1.96 * error
    assert (lows > -0.01).mean() == pytest.approx(versus.POWER, abs=0.01)


@pytest.mark.parametrize(
    ("gain", "asked", "itself", "passed"),
    [
        (0.02, 0.0, False, True),
        (0.0, 0.0, False, False),  # a tie earns nothing
        (0.02, 0.03, False, False),
        (-0.02, 0.0, True, True),
        (NAN, 0.0, False, False),
    ],
)
def test_linear(gain: float, asked: float, itself: bool, passed: bool) -> None:
    rule = versus.linear("roc_auc", Interval(gain, gain, gain), asked, itself=itself)
    assert rule.passed is passed
    assert ("Serve the simpler model" in rule.reason) is not passed
