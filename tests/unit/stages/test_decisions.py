"""Decisions of a life that was really lived: what they were, and that a replay makes the same."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from faultlab import FAULTS, decided, here, quick, rides, score_and_watch, world
from trimtab.environment import Environment
from trimtab.ledger import Event
from trimtab.monitoring import policy
from trimtab.monitoring.history import KINDS, Past
from trimtab.monitoring.policy import Decisions
from trimtab.stages.watch import realised
from trimtab.stages.watch.look import look_at
from trimtab.types import Scoring
from trimtab.watch import Action

FAULT = {fault.name: fault for fault in FAULTS}
LIFE = (None, "km in metres", None, *["load works the other way"] * 3)
MODELS = ("late",)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> Iterator[Environment]:
    """Six windows: good, in another unit, good, and three in which the concept is another."""
    home = tmp_path_factory.mktemp("lived") / "home"
    with pytest.MonkeyPatch.context() as patch:
        here(patch, home)
        quick(patch)
        env = world(home, mlflow_database, MODELS)
        for window, name in enumerate(LIFE):
            score_and_watch(env, MODELS, rides(window, FAULT[name] if name else None), window)
        yield env


def acts(env: Environment) -> dict[str, list[Action]]:
    """What was said of every file, its later looks included."""
    found: dict[str, list[Action]] = {}
    for each in decided(env, "late"):
        found.setdefault(each.key.split(":")[0], []).append(each.action)
    return found


def test_each_window_gets_the_answer_it_calls_for(lived: Environment) -> None:
    files = list(acts(lived).values())
    assert set(files[0]) == {"nothing"}
    assert files[1][0] == "quarantine"
    assert set(files[1][1:]) <= {"nothing"}, "its labels judge nobody"
    assert set(files[2]) == {"nothing"}
    said = [action for file in files[3:] for action in file]
    assert "retrain" in said
    assert set(said) <= {"nothing", "watch", "retrain"}
    asked = [each for each in decided(lived, "late") if each.action == "retrain"]
    assert asked[0].cause == "concept_drift"
    assert asked[0].helps_from == rides(3)["at"][0], "when it began"


def events(env: Environment) -> list[Event]:
    found = [env.ledger.events(subject=subject) for subject in ("late", "rides")]
    return [event for some in found for event in some if event.kind in KINDS]


def replayed(env: Environment, **changed: Any) -> list[Decisions]:
    """Decide on every window again from the ledger alone, by settings that may be others."""
    spec = env.project.model("late")
    retrain = spec.retrain.model_copy(update=changed)
    past = Past.of(events(env))
    decisions = []
    for each in decided(env, "late"):
        history = past.at(each.key, each.upto)
        spec = spec.model_copy(update={"retrain": retrain})
        decisions.append(policy.decide(history, spec, history.now))
    return decisions


def test_a_replay_decides_the_same(lived: Environment) -> None:
    again = replayed(lived)
    assert [each.triage for each in again] == decided(lived, "late")
    written = [e.payload for e in lived.ledger.events("retrain_decision", "late")]
    assert [each.retrain.to_json() for each in again] == written
    assert any(each.retrain.retrain for each in again), "there is something to decide"


def test_another_policy_decides_otherwise(lived: Environment) -> None:
    written = [e.payload for e in lived.ledger.events("retrain_decision", "late")]
    for other in ({"when": ()}, {"min_new_rows": 10**6}, {"window": "all"}):
        assert [each.retrain.to_json() for each in replayed(lived, **other)] != written


def test_a_window_is_the_same_when_it_is_looked_at_again(lived: Environment) -> None:
    """As by a run after one that was killed: folds, samples and neighbours go by the order."""
    first = lived.ledger.events("scoring", "late")[0]
    again = [look_at(lived, Scoring.model_validate(first.payload)) for _ in range(3)]
    assert all(again[0].rows.equals(look.rows) for look in again)
    told = [[each.finding for each in realised.concept(look)] for look in again]
    assert told[0] == told[1] == told[2]
