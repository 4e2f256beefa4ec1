"""Every rule has a side that does not pass."""

import math

import numpy as np
import pytest

from trimtab.config.model import VersusChampion
from trimtab.errors import DependencyError
from trimtab.evaluation import gate, rules
from trimtab.evaluation.bootstrap import Interval
from trimtab.evaluation.slices import Slice, Sliced
from trimtab.types import Rule

NAN = math.nan


def versus(low: float, estimate: float, high: float, mode: str = "non_inferior") -> Rule:
    spec = VersusChampion(mode=mode, margin=0.01)  # type: ignore[arg-type]
    found = Interval(low, estimate, high)
    return rules.versus_champion("roc_auc", found, spec, rows=1000, champion=3)


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
def test_versus_champion(interval: tuple, mode: str, passed: bool, decides: str | None) -> None:
    rule = versus(*interval, mode=mode)
    assert rule.passed is passed
    if decides:
        assert rule.decides == decides


def test_hold_says_how_many_more_rows_would_decide() -> None:
    assert "About 3,000 more labelled rows" in versus(-0.02, 0.0, 0.02).reason
    assert "More than 100 times" in versus(-0.5, -0.009, 0.5).reason


def test_missing_numbers_never_pass() -> None:
    assert not rules.threshold("roc_auc", NAN, 0.5).passed
    assert not rules.beats_dummy("roc_auc", NAN, 0.5, 0).passed
    assert not rules.beats_dummy("roc_auc", 0.7, NAN, 0).passed
    assert not rules.keeps_up_with_linear("roc_auc", Interval(NAN, NAN, NAN), 0.1).passed


@pytest.mark.parametrize(
    ("prediction", "task", "passed"),
    [
        (np.array([0.1, 0.9]), "binary", True),
        (np.array([0.1, 1.2]), "binary", False),
        (np.array([0.1, np.inf]), "regression", False),
        (np.array([0.1]), "regression", False),
        (np.array([[0.5, 0.5], [np.nan, 1.0]]), "multiclass", False),
        (np.array([0.5, 0.5]), "multiclass", False),
    ],
)
def test_answers_must_be_usable(prediction: np.ndarray, task: str, passed: bool) -> None:
    assert rules.finite_predictions("challenger", prediction, 2, task).passed is passed  # type: ignore[arg-type]


def part(metric: float, difference: tuple[float, float, float]) -> Sliced:
    around, apart = Interval(metric, metric, metric), Interval(*difference)
    return Sliced((Slice("shop", "north", 500, metric, around, metric, apart),), 2, 90)


def test_a_slice_must_be_worse_beyond_chance_and_by_more_than_allowed() -> None:
    def passed(*difference: float) -> bool:
        sliced = part(0.7, difference)  # type: ignore[arg-type]
        return rules.slice_regressions("roc_auc", sliced, 0.05, 1).passed

    assert passed(-0.2, -0.06, 0.01)
    assert passed(-0.06, -0.04, -0.02)
    assert not passed(-0.1, -0.08, -0.06)


def test_floor_of_a_slice() -> None:
    assert rules.slice_floors("roc_auc", part(0.6, (0, 0, 0)), 0.6).passed
    low = rules.slice_floors("roc_auc", part(0.59, (0, 0, 0)), 0.6)
    assert not low.passed
    assert "shop = north (500 rows) 0.59" in low.reason


def test_an_exception_refuses_with_the_rules_name() -> None:
    def broken() -> Rule:
        raise KeyError("gone")

    rule = rules.guarded("threshold", broken)
    assert (rule.passed, rule.decides) == (False, "reject")
    assert "threshold could not be judged: KeyError" in rule.reason


def test_a_dependency_that_is_away_is_no_verdict() -> None:
    def away() -> Rule:
        raise DependencyError("store")

    with pytest.raises(DependencyError):
        rules.guarded("threshold", away)


def test_no_rules_are_no_pass() -> None:
    good = Rule(name="a", passed=True, reason="")
    hold = Rule(name="b", passed=False, reason="", decides="hold")
    bad = Rule(name="c", passed=False, reason="")
    assert gate.decide([]) == "REJECT"
    assert gate.decide([good]) == "PROMOTE"
    assert gate.decide([good, hold]) == "HOLD"
    assert gate.decide([good, hold, bad]) == "REJECT"


@pytest.mark.parametrize(
    ("production", "commit", "dirty", "passed"),
    [
        (True, "abc", False, True),
        (True, "abc", True, False),
        (True, "abc+dirty", False, False),  # as earlier releases wrote it
        (True, None, False, False),
        (False, "abc", True, True),
        (False, None, True, True),
    ],
)
def test_uncommitted_code(production: bool, commit: str | None, dirty: bool, passed: bool) -> None:
    rule = rules.clean_code(production=production, commit=commit, dirty=dirty)
    assert rule.passed is passed
    assert rule.decides == "reject"
    committed = commit == "abc" and not dirty
    assert committed is ("are committed" in rule.reason)
