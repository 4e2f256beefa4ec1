"""People who are asked: groups, who started it, four eyes, reminders, and time that runs out."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from trimtab.clock import FixedClock
from trimtab.environment import Environment
from trimtab.errors import GateRefusedError, LedgerConflictError, NotAllowedError, NotReadyError
from trimtab.ledger import approvals
from trimtab.stages import ask
from trimtab.stages.approve import approve
from trimtab.stages.promote import promote
from trimtab.stages.retrain import request

FOUR = "{mode: four_eyes, users: [ana, ben, carl], timeout: 2d, remind: 6h}"
GROUPS = {
    "environments/local.yaml": "environment: local\ngroups: {risk: [ana, ben], it: [ben, dora]}\n"
}
Told = list[tuple[str, tuple[str, ...]]]


@pytest.fixture
def asked(new_world: Callable[..., Any]) -> Callable[..., Environment]:
    """Open a world in which version 1 has passed the gate; who started it is ``starter``."""

    def opened(approving: str, starter: str = "trimtab", **options: Any) -> Environment:
        world = new_world(approving=approving, **options)
        world.env = replace(world.env, actor=starter)
        world.judged(1)
        env: Environment = world.env
        return env

    return opened


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """What the notifier is given: title and whom it concerns."""
    messages: Told = []

    def send(self: Any, severity: str, title: str, text: str = "", *, to: Any = ()) -> None:
        messages.append((title, tuple(to)))

    monkeypatch.setattr("trimtab.adapters.notify.Notifier.send", send)
    return messages


def kinds(env: Environment) -> list[tuple[str, str]]:
    events = [e for e in env.ledger.events(subject="buys") if e.kind.startswith("approval")]
    return [(event.kind.removeprefix("approval_"), event.actor) for event in events]


def yes(env: Environment, actor: str, reason: str = "") -> Any:
    return approve(env, "buys", 1, approved=True, actor=actor, reason=reason)


def no(env: Environment, actor: str, reason: str = "") -> Any:
    return approve(env, "buys", 1, approved=False, actor=actor, reason=reason)


def wait(env: Environment) -> Any:
    return approve(env, "buys", 1)


def test_members_of_a_group_may_answer_and_nobody_else(asked: Any) -> None:
    env = asked("{mode: manual, groups: [risk]}", place=GROUPS)
    with pytest.raises(NotAllowedError, match=r"dora is not listed.*; ana, ben may"):
        yes(env, "dora")
    assert yes(env, "ben").actor == "ben"


def test_a_list_that_comes_to_nobody_lets_nobody_in(asked: Any) -> None:
    place = {"environments/local.yaml": "environment: local\ngroups: {risk: [ana]}\n"}
    env = asked("{mode: manual, groups: [risk]}", place=place)
    env.project.environment.groups.clear()  # as when the environment's file has changed since
    with pytest.raises(NotAllowedError):
        yes(env, "ana")
    with pytest.raises(NotReadyError, match="waits for nobody who may"):
        wait(env)


@pytest.mark.parametrize("approving", ["manual", "{mode: manual, users: [ana, ben]}", FOUR])
def test_who_started_it_cannot_say_yes_and_the_attempt_is_kept(asked: Any, approving: str) -> None:
    env = asked(approving, starter="ana")
    with pytest.raises(NotAllowedError, match="ana started this training and cannot approve it"):
        wait_then_yes(env, "ana")
    assert kinds(env)[-1] == ("refused", "ana")
    assert no(env, "ana", "it was a mistake").approved is False


def wait_then_yes(env: Environment, actor: str) -> Any:
    with pytest.raises(NotReadyError):
        wait(env)
    return yes(env, actor)


def test_who_asked_for_the_training_is_known_from_the_record(asked: Any, make_files: Any) -> None:
    env = asked("manual", starter="airflow")
    key = request(env, "buys", actor="ana", reason="new shops")
    event = env.ledger.events("training", "buys")[0]
    payload = {**event.payload, "version": 2, "key": "k2"}
    payload["features"] = {**payload["features"], "requests": [key]}
    env.ledger.append("version_number", "buys", "2", {"key": "k2"})
    env.ledger.append("training", "buys", "k2", payload)
    assert ask.starters(env, "buys", 2) == ("ana",)
    assert ask.starters(env, "buys", 1) == ()


def test_names_of_nobody_in_particular_are_no_starters(asked: Any) -> None:
    env = asked("manual", starter="Anonymous")
    assert wait_then_yes(env, "Anonymous").approved


def test_four_eyes_are_two_people(asked: Any, told: Told) -> None:
    env = asked(FOUR, starter="carl")
    with pytest.raises(NotReadyError, match="waits for ana, ben"):
        wait(env)
    with pytest.raises(NotReadyError, match="ana says yes, another person has to: ben"):
        yes(env, "ana", "fine")
    with pytest.raises(NotAllowedError, match="ana has said yes already"):
        yes(env, "ana")
    with pytest.raises(NotReadyError, match=r"waits for ben .*; ana has said yes"):
        wait(env)
    answer = yes(env, "ben", "agreed")
    assert (answer.actor, answer.seconded, answer.reason) == (
        "ana",
        "ben",
        "ana: fine; ben: agreed",
    )
    assert kinds(env) == [
        ("asked", "carl"),
        ("first", "ana"),
        ("refused", "ana"),
        ("approval", "ana"),
    ]
    concern = [to for title, to in told if "says yes" in title or "waits" in title]
    assert concern == [("ana", "ben"), ("ben",)]
    assert promote(env, "buys", 1).version == 1


def test_of_four_eyes_one_no_is_enough(asked: Any) -> None:
    env = asked(FOUR)
    with pytest.raises(NotReadyError):
        yes(env, "ana")
    assert no(env, "ben", "too soon").approved is False
    with pytest.raises(LedgerConflictError, match=r"ben has refused .*: too soon"):
        yes(env, "carl")


def test_the_file_became_stricter_since_the_answer(asked: Any, make_files: Any) -> None:
    env = asked("{mode: manual, users: [ana, ben]}")
    yes(env, "ana")
    strict = {**make_files(approving=FOUR)}["models/buys.yaml"]
    file = env.project.folder / "models" / "buys.yaml"
    for text, why in [
        (strict, "only ana has approved it, and approve.mode is four_eyes"),
        (strict.replace(FOUR, "{mode: manual, users: [ben]}"), "ana may not approve it"),
    ]:
        file.write_text(text)
        with pytest.raises(GateRefusedError, match=why):
            promote(reopened(env), "buys", 1)


def test_an_answer_of_the_rule_is_none_of_a_person(asked: Any, make_files: Any) -> None:
    env = asked("auto")
    wait(env)
    file = env.project.folder / "models" / "buys.yaml"
    file.write_text(make_files(approving="manual")["models/buys.yaml"])
    with pytest.raises(GateRefusedError, match="auto may not approve it"):
        promote(reopened(env), "buys", 1)


def reopened(env: Environment) -> Environment:
    from trimtab.config import load_project

    return replace(env, project=load_project(env.project.folder))


def test_people_are_told_once_and_reminded_in_time(
    asked: Any, told: Told, clock: FixedClock
) -> None:
    env = asked(FOUR)

    def looked() -> list[Any]:
        told.clear()
        with pytest.raises(NotReadyError):
            wait(env)
        return [title for title, _ in told]

    assert looked() == ["buys version 1 passed the gate and waits for an answer"]
    assert looked() == []
    clock.time += timedelta(hours=5)
    question = ask.ask(env, "buys", 1)
    assert (looked(), ask.next_look(env, question)) == ([], timedelta(hours=1))
    clock.time += timedelta(hours=8)
    assert looked() == ["buys version 1 still waits"]
    assert looked() == []
    assert [e.key for e in env.ledger.events(approvals.REMINDED)] == ["1:2"]


def test_no_answer_in_time_is_a_no(asked: Any, told: Told, clock: FixedClock) -> None:
    env = asked(FOUR)
    with pytest.raises(NotReadyError, match="until 2026-01-03 00:00 UTC"):
        wait(env)
    clock.time += timedelta(days=2) - timedelta(seconds=1)
    with pytest.raises(NotReadyError):
        yes(env, "ana")
    clock.time += timedelta(seconds=1)
    with pytest.raises(LedgerConflictError, match="only ana answered by 2026-01-03 00:00 UTC"):
        yes(env, "ben")
    answer = wait(env)
    assert (answer.approved, answer.actor) == (False, "nobody")
    assert kinds(env)[-2:] == [("expired", "trimtab"), ("approval", "nobody")]
    with pytest.raises(GateRefusedError, match="refused by nobody"):
        promote(env, "buys", 1)


def test_a_deadline_does_not_move_when_the_question_is_asked_again(
    asked: Any, clock: FixedClock
) -> None:
    env = asked(FOUR)
    first = ask.ask(env, "buys", 1)
    clock.time += timedelta(hours=30)
    assert ask.ask(replace(env, actor="ana"), "buys", 1) == first
    assert ask.next_look(env, first) == timedelta(hours=6)
    clock.time += timedelta(days=9)
    assert ask.next_look(env, first) == timedelta(seconds=1)


def test_without_reminders_only_the_deadline_wakes(asked: Any) -> None:
    env = asked("{mode: manual, timeout: 3h, remind: 0s}")
    question = ask.ask(env, "buys", 1)
    assert not ask.remind(env, question)
    assert ask.next_look(env, question) == timedelta(hours=3)


def test_the_form_shows_what_the_gate_found_and_data_stays_text(asked: Any) -> None:
    env = asked(FOUR, starter="carl")
    with pytest.raises(NotReadyError):
        yes(env, "ana", "[click](http://evil) | <b>bold</b>")
    text = ask.form(env, ask.ask(env, "buys", 1), "/pages/")
    verdict = env.ledger.latest("gate", "buys").payload  # type: ignore[union-attr]
    lines = text.splitlines()
    assert lines[0].startswith("**PROMOTE** says the gate about version 1 of **buys**")
    assert f"(/pages/{verdict['report']})" in lines[0]
    assert any(line.startswith("| ROC AUC | 0.") for line in lines)
    assert any("Better than a dummy" in line and "passed" in line for line in lines)
    assert "- Started by carl, who cannot say yes." in lines
    assert "- May answer: ben." in lines
    assert r"- **ana** has said yes: \[click\](http://evil) \| &lt;b&gt;bold&lt;/b&gt;" in text
    assert "<script>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
