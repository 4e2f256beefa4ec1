"""Acting on what triage found: each thing once, told once, over when it is over."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from trimtab.environment import Environment
from trimtab.errors import NotReadyError
from trimtab.ledger import advice, champion
from trimtab.stages import act as stage
from trimtab.stages.act import act
from trimtab.stages.incidents import unresolved
from trimtab.stages.tell import Links
from trimtab.types import Approval, GateVerdict
from trimtab.watch import Acted, Action, Cause, RetrainDecision, Severity, Triage

RIDES = """
dataset: rides
owner: feeds@example.org
source: {kind: files, uri: landing/rides}
key: [ride]
columns:
  ride: {type: int}
  km: {type: float}
  minutes: {type: float, known_after: arrival}
  taxi: {type: int}
"""
TAXIS = """
dataset: taxis
owner: garage@example.org
source: {kind: files, uri: landing/taxis}
key: [taxi]
columns:
  taxi: {type: int}
  seats: {type: int}
"""
MODEL = """
model: %s
purpose: Say how many minutes a ride will take.
owner: ana@example.org
data: {from: rides}
target: {column: minutes}
%s
"""
FILES = {
    "datasets/rides.yaml": RIDES,
    "datasets/taxis.yaml": TAXIS,
    "models/one.yaml": MODEL % ("one", ""),
    "models/two.yaml": MODEL % ("two", "monitor: {rollback: auto}"),
    "models/three.yaml": MODEL.replace(
        "{from: rides}", "{from: rides, join: [{dataset: taxis, on: [taxi], columns: [seats]}]}"
    )
    % ("three", ""),
}
SEVERITY: dict[str, Severity] = {"nothing": "info", "watch": "info", "quarantine": "error"}
Sent = list[dict[str, Any]]


@pytest.fixture
def env(open_env: Any) -> Environment:
    opened: Environment = open_env(FILES)
    assert not opened.project.problems
    return opened


@pytest.fixture
def sent(env: Environment, monkeypatch: pytest.MonkeyPatch) -> Sent:
    messages: Sent = []

    def send(severity: str, title: str, text: str = "", **facts: Any) -> None:
        messages.append({"severity": severity, "title": title, "text": text, **facts})

    monkeypatch.setattr(env.notifier, "send", send)
    return messages


def window(
    env: Environment,
    key: str,
    cause: Cause,
    action: Action,
    *,
    model: str = "one",
    retrain: bool = False,
    **more: Any,
) -> Triage:
    """Leave behind what deciding on a window would."""
    severity = SEVERITY.get(action, "warning")
    given = {"reason": f"{cause} in {key}", "evidence": ("data:km",), "version": 1, **more}
    found = Triage(
        model=model, key=key, partition=key, cause=cause, action=action, severity=severity, **given
    )
    decision = RetrainDecision(
        model=model, partition=key, retrain=retrain, reason="100 new rows" if retrain else "no"
    )
    env.ledger.append("retrain_decision", model, key, decision.to_json())
    env.ledger.append("triage", model, key, found.to_json())
    return found


def told(sent: Sent) -> list[str]:
    return [message["title"] for message in sent]


def test_nothing_to_do(env: Environment, sent: Sent) -> None:
    with pytest.raises(NotReadyError, match="one: nothing to do, no new window"):
        act(env, "one")
    window(env, "may", "nothing", "nothing")
    with pytest.raises(NotReadyError, match=r"one: nothing to do \(no\)"):
        act(env, "one")
    assert sent == []
    assert not env.ledger.events(stage.KIND)


def test_a_broken_file_is_kept_out_of_trainings_and_its_owner_is_called(
    env: Environment, sent: Sent
) -> None:
    window(env, "abc123", "upstream_fault", "quarantine")
    links = Links(page=lambda page: f"http://air/{page}", run="http://air/run")
    (done,) = act(env, "one", links)
    assert (done.outcome, done.told) == ("done", "error")
    assert list(advice.standing(env.ledger, "rides")) == ["abc123"]
    (message,) = sent
    assert message["title"] == "one abc123: upstream fault: quarantine"
    assert message["to"] == ("feeds@example.org", "ana@example.org")
    assert "trimtab quarantine dismiss rides abc123" in message["text"]
    assert message["links"] == {"run": "http://air/run"}
    assert message["dedup_key"] == message["incident"] == done.incident
    with pytest.raises(NotReadyError):
        act(env, "one")
    assert len(sent) == 1


def test_whose_rows_were_joined_is_called_when_those_are_broken(
    env: Environment, sent: Sent
) -> None:
    evidence = ("quality:taxis_seats missing",)
    window(env, "abc", "upstream_fault", "quarantine", model="three", evidence=evidence)
    act(env, "three")
    (message,) = sent
    assert message["to"] == ("garage@example.org", "ana@example.org")
    assert (
        "Deliver what is wrong in taxis, then let the file in again with --repaired"
        in (message["text"])
    )
    assert list(advice.standing(env.ledger, "rides")) == ["abc"]


def test_another_fault_of_the_same_source_is_told_though_the_first_one_stands(
    env: Environment, sent: Sent
) -> None:
    for key, column in (("w1", "km"), ("w2", "km"), ("w3", "minutes"), ("w4", "km")):
        window(env, key, "upstream_fault", "quarantine", evidence=(f"data:{column}",))
        act(env, "one")
    assert [message["title"][:6] for message in sent] == ["one w1", "one w3"]
    assert len({message["incident"] for message in sent}) == 1


def test_a_person_who_says_a_file_is_right_has_the_last_word(env: Environment, sent: Sent) -> None:
    window(env, "abc", "upstream_fault", "quarantine")
    act(env, "one")
    advice.mark(env.ledger, "rides", "abc", advice.DISMISSED, {"reason": "new meter"}, actor="ana")
    window(env, "abc", "upstream_fault", "quarantine", model="two")
    (done,) = act(env, "two")
    assert done.outcome == "refused"
    assert "ana has said that the file abc of rides is right" in done.what
    assert not advice.standing(env.ledger, "rides")


def test_models_of_one_dataset_share_an_incident_until_all_are_quiet(
    env: Environment, sent: Sent
) -> None:
    window(env, "w1", "upstream_fault", "quarantine")
    window(env, "w1", "upstream_fault", "quarantine", model="two")
    (first,), (second,) = act(env, "one"), act(env, "two")
    assert first.incident == second.incident
    (incident,) = unresolved(env.ledger)
    assert incident.models == ("one", "two")
    window(env, "w2", "nothing", "nothing")
    with pytest.raises(NotReadyError):
        act(env, "one")
    assert unresolved(env.ledger), "the other model is not quiet yet"
    sent.clear()
    window(env, "w2", "nothing", "nothing", model="two")
    (over,) = act(env, "two")
    assert over.resolved == (incident.id,)
    assert not unresolved(env.ledger)
    (message,) = sent
    assert message["title"] == "resolved: rides: upstream fault"
    assert (message["resolved"], message["dedup_key"]) == (True, incident.id)
    assert message["opened"] == "error"
    window(env, "w3", "nothing", "nothing", model="two")
    with pytest.raises(NotReadyError):
        act(env, "two")
    assert len(sent) == 1


def test_a_hundred_flapping_windows_are_told_once(env: Environment, sent: Sent) -> None:
    for i in range(100):
        window(env, f"w{i}", "concept_drift", "retrain", retrain=i == 0)
    done = act(env, "one")
    assert len(done) == 100
    assert len({each.incident for each in done}) == 1
    assert [each.retrain for each in done].count(True) == 1
    (message,) = sent
    assert "a training is asked for" in message["text"]


def test_what_is_only_watched_is_said_when_it_begins(env: Environment, sent: Sent) -> None:
    for i in range(3):
        window(env, f"w{i}", "covariate_shift", "watch")
    act(env, "one")
    window(env, "w3", "nothing", "nothing")
    window(env, "w4", "covariate_shift", "watch")
    act(env, "one")
    assert told(sent) == ["one w0: covariate shift: watch", "one w4: covariate shift: watch"]
    assert not unresolved(env.ledger)


def test_killed_before_the_ledger_it_says_the_same_again(
    env: Environment, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep: Callable[..., Any] = env.ledger.append

    def until_the_end(kind: str, *rest: Any, **more: Any) -> Any:
        if kind == stage.KIND:
            raise KeyboardInterrupt
        return keep(kind, *rest, **more)

    window(env, "w1", "upstream_fault", "quarantine")
    with monkeypatch.context() as patch:
        patch.setattr(env.ledger, "append", until_the_end)
        with pytest.raises(KeyboardInterrupt):
            act(env, "one")
    assert not unresolved(env.ledger)
    (done,) = act(env, "one")
    assert len(sent) == 2
    assert sent[0] == sent[1], "the same key: a receiver knows it again"
    assert done.incident == sent[0]["incident"]
    assert len(advice.marks(env.ledger, "rides")) == 1


def serving(env: Environment, model: str) -> None:
    """Version 1 was champion, version 2 is."""
    for version in (1, 2):
        gate = GateVerdict(
            model=model, version=version, verdict="PROMOTE", reasons=(), rules=(), primary="r2",
            value=0.8, interval=(0.77, 0.83), rows=100,
        )  # fmt: skip
        env.ledger.append("gate", model, f"{version}:{version - 1}", gate.to_json())
        answer = Approval(model=model, version=version, approved=True, actor="auto")
        env.ledger.append("approval", model, str(version), answer.to_json())
        now = champion.current(env.ledger, model)
        champion.swap(
            env.ledger, model, version, expected=now, action="promote", actor="a", reason="r"
        )


def bad(env: Environment, model: str, key: str = "w1") -> None:
    window(env, key, "bad_champion", "roll_back", model=model, version=2, to_version=1)


def test_a_bad_champion_is_only_reported_unless_the_file_says_auto(
    env: Environment, sent: Sent
) -> None:
    serving(env, "one")
    bad(env, "one")
    (done,) = act(env, "one")
    assert done.outcome == "asked"
    assert done.command.startswith("trimtab rollback one --to 1 --reason")
    now = champion.current(env.ledger, "one")
    assert now is not None
    assert now.version == 2


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Version 1 can be loaded, and MLflow, cards and anchors are somebody else's matter."""
    from trimtab.stages import loading, rollback

    monkeypatch.setattr(loading, "load", lambda env, candidate: None)
    monkeypatch.setattr(rollback.versions, "candidate", lambda *_: None)
    monkeypatch.setattr(rollback, "_after", lambda env, now: now)


@pytest.mark.usefixtures("loads")
def test_a_bad_champion_goes_when_the_file_says_auto(env: Environment, sent: Sent) -> None:
    serving(env, "two")
    bad(env, "two")
    (done,) = act(env, "two")
    assert (done.outcome, done.command) == ("done", "")
    now = champion.current(env.ledger, "two")
    assert now is not None
    assert (now.version, now.action, now.actor, now.previous) == (1, "rollback", "monitor", 2)
    bad(env, "two", "w2")
    (late,) = act(env, "two")
    assert late.outcome == "refused", "version 1 serves by now"
    assert len(champion.history(env.ledger, "two")) == 3


@pytest.mark.usefixtures("loads")
def test_killed_after_the_rollback_it_is_not_made_twice(
    env: Environment, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving(env, "two")
    bad(env, "two")
    with monkeypatch.context() as patch:
        patch.setattr(stage, "tell", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            act(env, "two")
    (done,) = act(env, "two")
    assert done.what == "version 1 serves again, version 2 is blocked"
    assert len(champion.history(env.ledger, "two")) == 3


def test_a_freeze_is_respected_and_a_person_asked(open_env: Any) -> None:
    frozen = "freeze: [{from: 2020-01-01T00:00Z, until: 2999-01-01T00:00Z, reason: audit}]"
    env = open_env({**FILES, "models/two.yaml": f"{FILES['models/two.yaml']}\n{frozen}\n"})
    assert not env.project.problems
    serving(env, "two")
    bad(env, "two")
    (done,) = act(env, "two")
    assert done.outcome == "asked"
    assert "frozen" in done.what
    assert done.command.startswith("trimtab rollback two --to 1")


def test_new_rows_alone_ask_for_a_training_without_a_word(env: Environment, sent: Sent) -> None:
    window(env, "w1", "nothing", "nothing", retrain=True)
    (done,) = act(env, "one")
    assert (done.retrain, done.told) == (True, None)
    assert sent == []


def test_the_request_says_from_when_rows_help(env: Environment, sent: Sent) -> None:
    since = datetime(2026, 3, 1, tzinfo=UTC)
    found = window(env, "w1", "concept_drift", "retrain", helps_from=since)
    decision = RetrainDecision(
        model="one", partition="w1", retrain=True, reason="loss", helps_from=since
    )
    from trimtab.stages.remedies import REMEDIES

    remedy = REMEDIES["retrain"](env, env.project.model("one"), found, decision)
    assert remedy.what == "a training is asked for, on rows from 2026-03-01 on: loss"


def test_a_record_of_it_reads_back(env: Environment, sent: Sent) -> None:
    window(env, "w1", "no_gain", "escalate")
    (done,) = act(env, "one")
    (event,) = env.ledger.events(stage.KIND, "one")
    assert Acted.model_validate(event.payload) == done
