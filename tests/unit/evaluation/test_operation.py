"""What a version costs, against the median of the last ones that passed; and what people must say."""

import math
from typing import Any

import pytest

from trimtab.config.model import Growth, ModelSpec
from trimtab.evaluation import operation, statements
from trimtab.types import Rule

COST = {"size": 40e6, "latency": 0.4, "memory": 200e6}


def judged(
    factor: dict[str, float], earlier: int = 5, most: Growth | None = None
) -> dict[str, Rule]:
    now = {name: value * factor.get(name, 1.0) for name, value in COST.items()}
    found = operation.growth(now, [COST] * earlier, most or Growth())
    return {rule.name: rule for rule in found}


def test_the_first_version_has_nothing_to_be_compared_with() -> None:
    found = judged({"size": 1000}, earlier=0)
    assert all(rule.passed and rule.limit is None for rule in found.values())
    assert "nothing to compare with" in found["size"].reason


@pytest.mark.parametrize("name", COST)
def test_each_is_refused_by_its_name_above_its_limit(name: str) -> None:
    assert all(rule.passed for rule in judged({name: 5.0}).values())
    found = judged({name: 5.1})
    assert [n for n, rule in found.items() if not rule.passed] == [name]
    assert f"gate.growth.{name}: 5" in found[name].reason
    assert found[name].decides == "reject"
    assert judged({name: 5.1}, most=Growth(**{name: 6.0}))[name].passed


def test_one_slow_version_does_not_move_the_median() -> None:
    earlier = [COST, COST, {**COST, "latency": 400.0}]
    found = operation.growth({**COST, "latency": 4.0}, earlier, Growth())
    assert [rule.name for rule in found if not rule.passed] == ["latency"]


def test_what_nobody_feels_is_no_growth() -> None:
    tiny = {"size": 20e3, "latency": 0.002, "memory": 0.0}
    trees = {"size": 20e6, "latency": 0.05, "memory": 60e6}
    assert all(rule.passed for rule in operation.growth(trees, [tiny] * 5, Growth()))


def test_a_number_that_is_not_there_does_not_pass() -> None:
    assert not judged({"latency": math.nan})["latency"].passed


@pytest.mark.parametrize("difference", [1e-6, math.inf, math.nan])
def test_other_answers_refuse(difference: float) -> None:
    found = operation.answers(100, difference, 1e-9, 0.5)
    assert not found.passed
    assert found.decides == "reject"
    assert operation.answers(100, 1e-10, 1e-9, 0.5).passed


def spec(**text: Any) -> ModelSpec:
    said = {
        "purpose": "Tell the shop which visit ends with a purchase.",
        "limits": "Knows one shop chain only.",
        "oversight": "The shop's analyst looks at it weekly and can roll it back.",
        **text,
    }
    needed = {"model": "m", "owner": "me", "data": {"from": "visits"}, "target": {"column": "y"}}
    return ModelSpec.model_validate({**needed, **said})


def test_texts_that_people_wrote_pass() -> None:
    assert statements.rule(spec(), production=True).passed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "TODO: say it later on",
        "tbd",
        "n/a - fill in",
        "Predict x of a row of y; say for whom.",
    ],
)
def test_a_missing_text_or_a_placeholder_blocks_in_production_and_warns_elsewhere(
    text: str,
) -> None:
    blocked = statements.rule(spec(limits=text, oversight=text), production=True)
    assert (blocked.passed, blocked.severity) == (False, "block")
    assert "limits (where it must not be relied on); oversight (who" in blocked.reason
    warned = statements.rule(spec(limits=text), production=False)
    assert (warned.passed, warned.severity) == (False, "warn")
