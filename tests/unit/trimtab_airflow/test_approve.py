"""The form in Airflow: who is asked, what counts, and that it comes back until there is an answer."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.standard.exceptions import HITLTriggerEventError
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, TaskAwaitingInput

from trimtab.clock import FixedClock
from trimtab.environment import Environment
from trimtab.stages.approve import approve
from trimtab.types import Candidate, FeatureSet, GateVerdict
from trimtab_airflow.operators.approve import ManualApproveOperator

DATASET = """\
dataset: visits
owner: shop
source: {kind: files, uri: landing/visits}
key: [visit]
columns: {visit: {type: int}, signal: {type: float}, bought: {type: bool, known_after: later}}
"""
MODEL = """\
model: buys
purpose: Tell the shop which visit ends with a purchase.
owner: shop
data: {from: visits}
target: {column: bought}
approve: APPROVE
"""
LISTED = "{mode: manual, users: [ana, ben, bob], timeout: 3h, remind: 1h}"
FOUR = "{mode: four_eyes, users: [ana, ben, bob], timeout: 3h, remind: 1h}"
OPEN = "{mode: manual, timeout: 3h, remind: 1h}"


class Instance(SimpleNamespace):
    """As much of a task instance as the form needs."""

    def __init__(self) -> None:
        where = {"dag_id": "buys.train", "run_id": "r1", "task_id": "approve", "map_index": -1}
        super().__init__(id="t1", log_url="http://log", **where)


class Form:
    """One task of a run that bob has started: what Airflow shows, and how people answer."""

    def __init__(self, env: Environment, starter: str = "bob", **options: Any) -> None:
        self.env = env
        self.task = ManualApproveOperator(task_id="approve", model="buys", version="1", **options)
        run = SimpleNamespace(triggering_user_name=starter, run_id="r1")
        self.context: Any = {"dag_run": run, "ti": Instance()}
        self.shown: dict[str, Any] = {}

    def ask(self) -> Any:
        """Begin; what comes back is the result, or how long Airflow waits."""
        return self._or_wait(lambda: self.task.execute(self.context))

    def answer(self, option: str, who: str, reason: str = "") -> Any:
        return self.event(
            chosen_options=[option],
            params_input={"reason": reason},
            responded_by_user={"id": who, "name": who},
        )

    def event(self, **event: Any) -> Any:
        return self._or_wait(lambda: self.task.execute_complete(self.context, event))

    def time_passes(self) -> Any:
        return self.event(error="no response", error_type="timeout")

    @property
    def asked(self) -> list[str]:
        return [user["name"] for user in self.shown["assigned_users"]]

    def _or_wait(self, step: Callable[[], Any]) -> Any:
        try:
            return step()
        except TaskAwaitingInput as waits:
            return waits.timeout


@pytest.fixture
def form(
    open_env: Callable[[dict[str, str]], Environment], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Form]:
    """Open a form about a version that has passed the gate."""
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "http://airflow:8080")

    def opened(approving: str, *, verdict: str = "PROMOTE", **options: Any) -> Form:
        model = MODEL.replace("APPROVE", approving)
        env = open_env({"datasets/visits.yaml": DATASET, "models/buys.yaml": model})
        judged(env, verdict)
        made = Form(env, **options)
        monkeypatch.setattr(
            "trimtab.environment.open_environment", lambda **o: replace(env, actor=o["actor"])
        )
        monkeypatch.setattr(
            "trimtab_airflow.operators.approve.upsert_hitl_detail", lambda **d: made.shown.update(d)
        )
        return made

    return opened


def judged(env: Environment, verdict: str) -> None:
    """Leave behind what train and evaluate leave behind for version 1."""
    features = FeatureSet(
        model="buys", key="f", uri="f", task="binary", numeric=("signal",), categorical=(),
        train_rows=9, holdout_rows=9, versions={"visits": 1}, cause="initial",
        train_until=datetime(2026, 1, 1, tzinfo=UTC), holdout_until=datetime(2026, 1, 2, tzinfo=UTC),
    )  # fmt: skip
    candidate = Candidate(
        model="buys", version=1, key="k", features=features, uri="m", manifest={}, params={},
        estimator="linear", validation={}, trials=1, config_hash="c",
    )  # fmt: skip
    gate = GateVerdict(
        model="buys", version=1, verdict=verdict, rules=(), primary="roc_auc", value=0.7,  # type: ignore[arg-type]
        reasons=("good enough",), interval=(0.6, 0.8), rows=9, report="gate/buys/1.html",
    )  # fmt: skip
    env.ledger.append("version_number", "buys", "1", {"key": "k"})
    env.ledger.append("training", "buys", "k", candidate.to_json())
    env.ledger.append("gate", "buys", "1:0", gate.to_json())


def kinds(env: Environment) -> list[tuple[str, str]]:
    events = [e for e in env.ledger.events(subject="buys") if e.kind.startswith("approval")]
    return [(event.kind, event.actor) for event in events]


def test_who_started_the_run_is_not_asked_and_the_others_see_the_gate(form: Any) -> None:
    asked = form(LISTED)
    assert asked.ask() == timedelta(hours=1)  # the first reminder; the task holds no worker
    assert asked.asked == ["ana", "ben"]
    assert asked.shown["options"] == ["Approve", "Reject"]
    assert "**PROMOTE** says the gate" in asked.shown["body"]
    assert "/trimtab/reports/gate/buys/1.html" in asked.shown["body"]
    assert "- good enough" in asked.shown["body"]
    assert asked.shown.get("defaults") is None  # a default would end the wait at a reminder
    assert asked.shown["params"].keys() == {"reason"}
    (question,) = asked.env.ledger.events("approval_asked")
    assert question.payload["run"] == "r1"
    assert (
        question.payload["where"] == "http://airflow:8080/dags/buys.train/runs/r1/required_actions"
    )


def test_yes_goes_on_and_is_recorded_with_the_name(form: Any) -> None:
    asked = form(LISTED)
    asked.ask()
    result = asked.answer("Approve", "ana", "looks right")
    assert (result["approved"], result["actor"], result["reason"]) == (True, "ana", "looks right")
    assert kinds(asked.env) == [("approval_asked", "bob"), ("approval", "ana")]


def test_no_is_recorded_and_skips(form: Any) -> None:
    asked = form(LISTED)
    asked.ask()
    with pytest.raises(AirflowSkipException, match="rejected by ben: too old"):
        asked.answer("Reject", "ben", "too old")


@pytest.mark.parametrize(
    ("approving", "who", "why"),
    [
        (LISTED, "bob", "started this training"),
        (OPEN, "bob", "started this training"),
        (LISTED, "eve", "is not listed"),
    ],
)
def test_an_answer_that_does_not_count_is_kept_and_the_form_comes_back(
    form: Any, approving: str, who: str, why: str
) -> None:
    asked = form(approving)
    asked.ask()
    asked.shown.clear()
    assert asked.answer("Approve", who) == timedelta(hours=1)
    assert asked.shown["options"] == ["Approve", "Reject"]
    (attempt,) = asked.env.ledger.events("approval_refused")
    assert attempt.actor == who
    assert why in attempt.payload["why"]
    assert asked.answer("Approve", "ana")["actor"] == "ana"


def test_where_nobody_has_a_name_the_starter_may_answer(form: Any) -> None:
    asked = form(OPEN, starter="Anonymous")
    asked.ask()
    assert asked.answer("Approve", "Anonymous")["approved"]


def test_two_people_of_four_eyes_have_a_task_each(form: Any) -> None:
    asked = form(FOUR)
    asked.ask()
    assert asked.answer("Approve", "ana", "fine") == {"model": "buys", "version": 1, "first": "ana"}
    second = Form(asked.env, second=True)
    second.shown = asked.shown
    second.ask()
    assert second.asked == ["ben"]
    assert "**ana** has said yes: fine" in second.shown["body"]
    assert second.answer("Approve", "ana") == timedelta(hours=1)  # the same person, by another way
    result = second.answer("Approve", "ben")
    assert (result["actor"], result["seconded"]) == ("ana", "ben")


def test_of_four_eyes_the_first_no_ends_it(form: Any) -> None:
    asked = form(FOUR)
    asked.ask()
    with pytest.raises(AirflowSkipException, match="rejected by ben"):
        asked.answer("Reject", "ben")


def test_reminders_until_no_answer_is_a_no(form: Any, clock: FixedClock) -> None:
    asked = form(LISTED)
    asked.ask()
    for hour in (1, 2):
        clock.time += timedelta(hours=1)
        assert asked.time_passes() == timedelta(hours=1)
        assert len(asked.env.ledger.events("approval_reminded")) == hour
    clock.time += timedelta(hours=1)
    with pytest.raises(AirflowSkipException, match="rejected by nobody: nobody answered by"):
        asked.time_passes()
    assert kinds(asked.env)[-2:] == [("approval_expired", "trimtab"), ("approval", "nobody")]


def test_an_answer_from_the_command_line_is_found_when_it_wakes(form: Any) -> None:
    asked = form(LISTED)
    asked.ask()
    approve(asked.env, "buys", 1, approved=True, actor="ben")
    assert asked.time_passes()["actor"] == "ben"
    assert asked.ask()["actor"] == "ben"  # as does a second attempt of the task


def test_a_late_answer_gives_way_to_the_one_that_stands(form: Any) -> None:
    asked = form(LISTED)
    asked.ask()
    approve(asked.env, "buys", 1, approved=True, actor="ben")
    assert asked.answer("Reject", "ana")["actor"] == "ben"


def test_a_user_is_known_by_name_or_by_id(form: Any) -> None:
    asked = form(LISTED)
    asked.ask()
    said = {"chosen_options": ["Approve"], "params_input": None}
    result = asked.event(**said, responded_by_user={"id": "ben", "name": "Ben Miller"})
    assert result["actor"] == "ben"


def test_the_gate_is_asked_once_more(form: Any) -> None:
    asked = form(LISTED, verdict="REJECT")
    asked.ask()
    with pytest.raises(AirflowFailException, match="the gate says REJECT"):
        asked.answer("Approve", "ana")


def test_an_error_of_airflow_is_none_of_ours(form: Any) -> None:
    with pytest.raises(HITLTriggerEventError):
        form(LISTED).event(error="broken", error_type="unknown")


def test_a_reason_of_any_kind_and_length_is_taken(form: Any) -> None:
    asked = form(LISTED)
    asked.ask()
    assert len(asked.answer("Approve", "ana", "x" * 10_000)["reason"]) == 2000


def test_the_wait_has_its_own_limit_and_its_form_is_its_own() -> None:
    with DAG("m.train", schedule=None, params={"force": False, "reason": "of the run"}):
        asked = ManualApproveOperator(
            task_id="approve", model="m", version="2", execution_timeout=timedelta(hours=1)
        )
    assert asked.execution_timeout is None
    assert asked.serialized_params.keys() == {"reason"}
    assert asked.serialized_params["reason"]["value"] == ""
