"""Answering from a terminal: the first yes, the second, and who is not heard."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from trimtab.environment import open_environment
from trimtab.stages.ask import ask
from trimtab.types import Candidate, FeatureSet, GateVerdict


@pytest.fixture
def waiting(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Version 1 of lateness, started by bob, has passed the gate; ana, ben and bob are listed."""
    model = project / "config" / "models" / "lateness.yaml"
    model.write_text(model.read_text() + "approve: {mode: four_eyes, users: [ana, ben, bob]}\n")
    day = datetime(2026, 1, 1, tzinfo=UTC)
    features = FeatureSet(
        model="lateness", key="f", uri="f", task="binary", numeric=("amount",), categorical=(),
        train_rows=9, holdout_rows=9, versions={"sales": 1}, cause="initial",
        train_until=day, holdout_until=day,
    )  # fmt: skip
    candidate = Candidate(
        model="lateness", version=1, key="k", features=features, uri="m", manifest={}, params={},
        estimator="linear", validation={}, trials=1, config_hash="c",
    )  # fmt: skip
    gate = GateVerdict(
        model="lateness", version=1, verdict="PROMOTE", reasons=("good",), rules=(), rows=9,
        primary="roc_auc", value=0.7, interval=(0.6, 0.8),
    )  # fmt: skip
    env = open_environment(home=project / "home", config=project / "config", actor="bob")
    env.ledger.append("version_number", "lateness", "1", {"key": "k"})
    env.ledger.append("training", "lateness", "k", candidate.to_json(), actor="bob")
    env.ledger.append("gate", "lateness", "1:0", gate.to_json())
    ask(env, "lateness", 1)


def test_two_people_answer(waiting: None, call: Any, document: Any) -> None:
    assert "v1: ana, ben until" in document("status")["models"][0]["waits_for"]
    yes = ("approve", "lateness", "1", "--reason", "fine", "--by")
    own = call(*yes, "bob")
    assert (own.exit_code, "bob started this training" in own.stderr) == (1, True)
    first = call(*yes, "ana")
    assert first.exit_code == 0
    assert "ana says yes, another person has to: ben" in first.stdout
    assert call(*yes, "ana").exit_code == 1
    assert "v1: ben until" in document("status")["models"][0]["waits_for"]
    second = document(*yes, "ben")
    assert (second["actor"], second["seconded"], second["approved"]) == ("ana", "ben", True)
    assert document("status")["models"][0]["waits_for"] is None


def test_the_first_yes_is_no_answer_yet(waiting: None, document: Any) -> None:
    said = document("approve", "lateness", "1", "--reason", "fine", "--by", "ana")
    assert said["approved"] is True
    assert "another person has to: ben" in said["waits"]
    assert "seconded" not in said


def test_a_version_that_is_not_there_is_refused(waiting: None, call: Any) -> None:
    result = call("approve", "lateness", "7", "--reject", "--reason", "bad", "--by", "ana")
    assert (result.exit_code, "version 7 is not trained" in result.stderr) == (1, True)


def test_who_types_is_who_started_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trimtab.cli.options import open_project, os_user

    monkeypatch.setenv("LOGNAME", "carl")
    assert open_project(project / "config", project / "home").actor == "carl" == os_user()

    def unknown() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr("getpass.getuser", unknown)
    assert os_user().startswith("uid ")
