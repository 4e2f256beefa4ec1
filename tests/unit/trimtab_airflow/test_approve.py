"""A person's answer: four eyes, rejection, time running out, and what is recorded."""

import sys
import types
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, TaskAwaitingInput

from trimtab.types import Approval
from trimtab_airflow.operators.approve import ManualApproveOperator

Recorded = list[dict[str, Any]]


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    """Catch what is told to the stage; the ledger knows no answer yet."""
    said: Recorded = []

    def approve(env: Any, model: str, version: int, **answer: Any) -> Approval:
        said.append(answer)
        return Approval(model=model, version=version, **answer)

    module = types.ModuleType("trimtab.stages.approve")
    module.approve = approve  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    env = MagicMock()
    env.ledger.find.return_value = None
    monkeypatch.setattr("trimtab.environment.open_environment", lambda **_: env)
    return said


def operator(**more: Any) -> ManualApproveOperator:
    return ManualApproveOperator(
        task_id="approve", model="m", version="2", timeout=timedelta(hours=3), **more
    )


def answer(option: str, who: str | None, reason: str = "") -> dict[str, Any]:
    return {
        "chosen_options": [option],
        "params_input": {"reason": reason},
        "responded_by_user": {"id": who, "name": who} if who else None,
    }


CONTEXT: Any = {"dag_run": SimpleNamespace(triggering_user_name="bob"), "ti": MagicMock()}


def test_yes_goes_on_and_is_recorded_with_the_name(recorded: Recorded) -> None:
    result = operator().execute_complete(CONTEXT, answer("Approve", "eve", "looks right"))
    assert result["approved"] is True
    assert recorded == [{"approved": True, "actor": "eve", "reason": "looks right"}]


def test_where_nobody_has_a_name_the_starter_may_answer(recorded: Recorded) -> None:
    started = {**CONTEXT, "dag_run": SimpleNamespace(triggering_user_name="Anonymous")}
    assert operator().execute_complete(started, answer("Approve", "Anonymous"))["approved"]
    assert recorded[0]["actor"] == "Anonymous"


def test_who_started_the_run_cannot_approve_it(recorded: Recorded) -> None:
    with pytest.raises(AirflowFailException, match="bob started this run"):
        operator().execute_complete(CONTEXT, answer("Approve", "bob"))
    assert recorded == []  # so that another person can still be asked


def test_who_started_the_run_may_reject_it(recorded: Recorded) -> None:
    with pytest.raises(AirflowSkipException, match="rejected by bob"):
        operator().execute_complete(CONTEXT, answer("Reject", "bob"))
    assert recorded[0]["approved"] is False


def test_no_is_recorded_and_skips(recorded: Recorded) -> None:
    with pytest.raises(AirflowSkipException, match="rejected by eve: too old"):
        operator().execute_complete(CONTEXT, answer("Reject", "eve", "too old"))
    assert recorded == [{"approved": False, "actor": "eve", "reason": "too old"}]


def test_no_answer_in_time_is_a_no(recorded: Recorded) -> None:
    assert operator().defaults == ["Reject"]
    with pytest.raises(AirflowSkipException, match="nobody answered within 3:00:00"):
        operator().execute_complete(CONTEXT, answer("Reject", None))
    assert recorded[0]["actor"] == "nobody"


def test_only_the_people_named_are_asked() -> None:
    assert operator(users=("eve",)).assigned_users == [{"id": "eve", "name": "eve"}]
    assert operator().assigned_users is None


def test_the_wait_has_its_own_limit() -> None:
    asked = operator(execution_timeout=timedelta(hours=1))
    assert asked.execution_timeout is None
    assert asked.response_timeout == timedelta(hours=3)


def test_its_form_is_its_own_in_a_dag_that_has_another() -> None:
    with DAG("m.train", schedule=None, params={"force": False, "reason": "of the run"}):
        asked = operator()
    assert asked.serialized_params.keys() == {"reason"}
    assert asked.serialized_params["reason"]["value"] == ""


def test_it_asks(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = MagicMock()
    monkeypatch.setattr("airflow.providers.standard.operators.hitl.upsert_hitl_detail", asked)
    context: Any = {**CONTEXT, "task_instance": MagicMock()}
    with pytest.raises(TaskAwaitingInput):
        operator().execute(context)
    assert asked.call_args.kwargs["options"] == ["Approve", "Reject"]


def test_an_answer_that_is_recorded_is_not_asked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    env = MagicMock()
    given = Approval(model="m", version=2, approved=True, actor="eve")
    env.ledger.find.return_value = SimpleNamespace(payload=given.to_json())
    monkeypatch.setattr("trimtab.environment.open_environment", lambda **_: env)
    assert operator().execute(CONTEXT)["actor"] == "eve"


def test_the_question_shows_verdict_reasons_and_report() -> None:
    asked = operator()
    gate = {"verdict": "PROMOTE", "reasons": ["better by 0.01"], "report": "gate/m/2.html"}
    ti = SimpleNamespace(xcom_pull=lambda task_ids: gate)
    asked.render_template_fields({"ti": ti})  # type: ignore[arg-type]
    assert "PROMOTE" in asked.body
    assert "- better by 0.01" in asked.body
    assert "(/trimtab/reports/gate/m/2.html)" in asked.body
