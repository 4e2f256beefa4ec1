"""Every rule has a side that does not pass."""

import math

import numpy as np
import pytest

from trimtab.errors import DependencyError
from trimtab.evaluation import gate, rules
from trimtab.types import Rule

NAN = math.nan


def test_missing_numbers_never_pass() -> None:
    assert not rules.threshold("roc_auc", NAN, 0.5).passed
    assert not rules.beats_dummy("roc_auc", NAN, 0.5, 0).passed
    assert not rules.beats_dummy("roc_auc", 0.7, NAN, 0).passed


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


def test_seven_groups_hold_and_eight_do_not() -> None:
    seven = rules.enough_groups(np.arange(700) % 7, "customer")
    assert (seven.passed, seven.decides, seven.value) == (False, "hold", 7)
    assert rules.enough_groups(np.array(["a", None, *"bcdefg"], dtype=object), "customer").passed
    assert not rules.enough_groups(None, "customer").passed


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
