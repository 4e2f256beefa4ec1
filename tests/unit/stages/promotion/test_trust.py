"""Fairness, robustness, behaviour and numerical health as rules of the gate, each by its name."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trimtab.evaluation import registry
from visits import FAIR, asking

TESTS = """
from trimtab.evaluation.registry import behaviour_test

@behaviour_test("signal_raises", kind="direction", expect="up")
def signal_raises(rows):
    return rows.assign(signal=rows["signal"] + 1)

@behaviour_test("shop_is_nothing", kind="invariance")
def shop_is_nothing(rows):
    return rows.assign(shop="south")

@behaviour_test("plain", kind="minimum")
def plain(rows):
    return rows.head(2).assign(signal=[-5.0, 5.0]), [0, 1]

@behaviour_test("broken", kind="invariance")
def broken(rows):
    return rows["nothing"]
"""


@pytest.fixture
def tests_of_mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(registry, "_REGISTRY", {})
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / f"{registry.USER_MODULE}.py").write_text(TESTS)
    importlib.invalidate_caches()
    yield
    sys.modules.pop(registry.USER_MODULE, None)


def failed(verdict: Any) -> dict[str, str]:
    return {rule.name: rule.decides for rule in verdict.rules if not rule.passed}


def test_a_fair_model_passes_and_its_gaps_are_kept(new_world: Any) -> None:
    verdict = new_world(asking(FAIR)).judged(1)
    assert verdict.verdict == "PROMOTE", verdict.reasons
    assert [gap.measure for gap in verdict.fairness] == [
        "demographic_parity",
        "equalized_odds",
        "error",
    ]
    for gap in verdict.fairness:
        assert gap.interval[0] <= gap.gap <= gap.interval[1]
        assert len(gap.groups) == 3
    assert any("gate.fairness.error" in reason for reason in verdict.reasons)


def test_a_planted_bias_is_refused_by_its_name(new_world: Any) -> None:
    verdict = new_world(asking(FAIR)).judged(1, favoured="north")
    assert verdict.verdict == "REJECT"
    assert failed(verdict)["fairness_shop_demographic_parity"] == "reject"
    assert failed(verdict)["fairness_shop_equalized_odds"] == "reject"
    assert "north" in " ".join(verdict.reasons)


def test_a_bias_without_a_limit_is_shown_and_decides_nothing(new_world: Any) -> None:
    verdict = new_world(asking("fairness: {columns: [shop]}")).judged(1, favoured="north")
    assert "fairness" not in " ".join(failed(verdict))
    assert verdict.fairness[0].gap > 0.2


def test_a_protected_column_that_the_rows_lack_refuses(new_world: Any, make_files: Any) -> None:
    dataset = make_files()["datasets/visits.yaml"] + "  age: {type: int}\n"  # newer than the rows
    world = new_world(
        asking("fairness: {columns: [age], error: 0.1}"), place={"datasets/visits.yaml": dataset}
    )
    verdict = world.judged(1)
    assert failed(verdict) == {"fairness": "reject"}
    assert "age" in verdict.reasons[0]


def test_a_model_that_falls_over_is_refused_without_any_limit(world: Any) -> None:
    from trimtab.evaluation.disturbances import UNSEEN

    verdict = world.judged(1, broken_by=UNSEEN)
    assert failed(verdict) == {"robustness_unseen": "reject"}
    assert "fell over" in verdict.reasons[0]
    assert {each.name for each in verdict.robustness} == {
        "noise",
        "missing",
        "unseen",
        "extreme",
        "shuffled",
    }


def test_a_model_that_leans_on_one_column_is_refused_where_a_limit_says_so(new_world: Any) -> None:
    verdict = new_world(asking("robustness: {shuffled: 0.1, noise: 0.1}")).judged(1)
    assert failed(verdict) == {"robustness_shuffled": "reject"}
    assert next(each for each in verdict.robustness if each.name == "shuffled").column == "signal"


@pytest.mark.usefixtures("tests_of_mine")
def test_behaviour_tests_pass_or_refuse_by_name(new_world: Any) -> None:
    world = new_world(asking("behaviour: [signal_raises, shop_is_nothing, plain]"))
    good = world.judged(1)
    assert good.verdict == "PROMOTE", good.reasons
    assert [(each.name, each.cases) for each in good.behaviour] == [
        ("signal_raises", 1000),
        ("shop_is_nothing", 1000),
        ("plain", 2),
    ]
    bad = world.judged(2, favoured="north")
    assert failed(bad)["behaviour_shop_is_nothing"] == "reject"
    assert "cases of shop_is_nothing (invariance) failed" in " ".join(bad.reasons)


@pytest.mark.usefixtures("tests_of_mine")
def test_a_behaviour_test_that_breaks_refuses(new_world: Any) -> None:
    verdict = new_world(asking("behaviour: [broken, nobody]")).judged(1)
    assert failed(verdict) == {"behaviour_broken": "reject", "behaviour_nobody": "reject"}
    assert "there is no behaviour test 'nobody'" in " ".join(verdict.reasons)


def test_weights_that_are_no_numbers_refuse_by_name(world: Any) -> None:
    verdict = world.judged(1, weights=np.array([1.0, np.nan]))  # which no answer shows
    assert failed(verdict) == {"numerical_health": "reject"}
    assert "model.weights" in verdict.reasons[0]


def test_a_constant_model_is_named(world: Any) -> None:
    verdict = world.judged(1, answer="constant")
    assert failed(verdict)["varied_answers"] == "reject"
