"""Let a version that passed the gate serve, or not: by rule, or by people."""

from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowSkipException, TaskAwaitingInput
from airflow.sdk.execution_time.hitl import upsert_hitl_detail

from trimtab_airflow.links import report_url
from trimtab_airflow.operators.base import StageOperator, environment, number, stage_errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk import Context

    from trimtab.environment import Environment
    from trimtab.types import Approval, Question

_LONGEST = 2000  # characters of a reason


class ApproveOperator(StageOperator):
    """Record that a version may serve, as the model file says (``approve: auto``).

    Args:
        model: name of the model.
        version: the version, as `EvaluateOperator` returns it.
    """

    template_fields = ("model", "version")

    def __init__(self, *, model: str, version: int | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model = model
        self.version = version

    def stage(self, env: "Environment", context: "Context") -> dict[str, Any]:
        """Return the approval."""
        from trimtab.stages.approve import approve

        approval = approve(env, self.model, number(self.version))
        self.log.info("%s version %d: %s", self.model, approval.version, approval.actor)
        return _passed(approval)


class ManualApproveOperator(ApprovalOperator):
    """Ask people whether a version may serve, and record their answers in the ledger.

    The model file says who may answer, for how long, and how often they are reminded. The task
    waits without a worker; it wakes for a moment to remind, and when somebody has answered. Who
    started the run is not asked where people are listed. An answer that does not count is
    recorded as an attempt, and the form is there again. No answer in time is a no.

    Args:
        model: name of the model.
        version: the version, as `EvaluateOperator` returns it.
        second: ask for the second yes of four eyes; who said the first is not asked.
    """

    template_fields = ("model", "version", "subject", "body")

    def __init__(
        self, *, model: str, version: int | str, second: bool = False, **kwargs: Any
    ) -> None:
        whom = " A second person is asked." if second else ""
        kwargs.setdefault("subject", f"May {model} version {version} serve?{whom}")
        reason = Param(
            "", type=["null", "string"], title="Reason", description="goes into the ledger"
        )
        super().__init__(
            # Airflow's own limit would cut the wait; its kwargs hold the params of the DAG's form.
            **{**kwargs, "execution_timeout": None, "params": {"reason": reason}},
        )
        self.model = model
        self.version = version
        self.second = second

    def execute(self, context: "Context") -> Any:
        """Ask, unless the ledger has the answer already."""
        from trimtab.stages import ask

        with stage_errors():
            env = environment(context)
            run = str(getattr(context.get("dag_run"), "run_id", ""))
            question = ask.ask(
                env, self.model, number(self.version), run=run, where=self._form(context)
            )
            return self._settled(env, question) or self._wait(context, env, question)

    def execute_complete(self, context: "Context", event: dict[str, Any]) -> Any:
        """Record an answer, or remind; go on only when the ledger has the yes that is needed."""
        from trimtab.stages import ask

        late = event.get("error_type") == "timeout"
        if "error" in event and not late:
            self.process_trigger_event_error(event)
        with stage_errors():
            env = environment(context)
            question = ask.ask(env, self.model, number(self.version))
            if not late:
                self._record(env, question, event)
            elif ask.expire(env, question) is None:
                ask.remind(env, question)
            return self._settled(env, question) or self._wait(context, env, question)

    def _settled(self, env: "Environment", question: "Question") -> dict[str, Any] | None:
        """Return what this task was to bring: the answer, or the first yes of four eyes."""
        from trimtab.ledger import approvals, versions

        key = (env.ledger, question.model, question.version)
        if answer := versions.approval(*key):
            return _passed(answer)
        first = approvals.first_yes(*key)
        if first is None or self.second:
            return None
        return {"model": question.model, "version": question.version, "first": first.actor}

    def _record(self, env: "Environment", question: "Question", event: "Mapping[str, Any]") -> None:
        """Tell the stage who has answered what; an answer that does not count only gets a line."""
        from trimtab.errors import LedgerConflictError, NotAllowedError, NotReadyError
        from trimtab.stages.approve import approve

        said = {
            "approved": event["chosen_options"] == [self.APPROVE],
            "actor": _answerer(event, question),
            "reason": str((event.get("params_input") or {}).get("reason") or "")[:_LONGEST],
        }
        try:
            approve(env, question.model, question.version, **said)
        except (LedgerConflictError, NotAllowedError, NotReadyError) as told:
            self.log.warning("%s", told)

    def _wait(self, context: "Context", env: "Environment", question: "Question") -> NoReturn:
        """Put the form up, or up again, and go to rest until an answer or the next reminder."""
        from trimtab.stages import ask

        self.log.info("%s version %s waits for an answer", question.model, question.version)
        upsert_hitl_detail(
            ti_id=context["ti"].id,
            options=self.options,
            subject=self.subject,
            body=ask.form(env, question, report_url(None)),
            params=self.serialized_params,
            assigned_users=[{"id": name, "name": name} for name in ask.left(env, question)],
        )
        raise TaskAwaitingInput(
            method_name="execute_complete", timeout=ask.next_look(env, question)
        )

    def _form(self, context: "Context") -> str:
        """Address of the run's forms, also the second one; the log where Airflow knows none."""
        try:
            form = self.generate_link_to_ui(task_instance=context["ti"])
        except ValueError:
            return str(context["ti"].log_url)
        return f"{form.partition('/tasks/')[0]}/required_actions"


def _answerer(event: "Mapping[str, Any]", question: "Question") -> str:
    """Name who answered the way the model file does: by name, or by the auth manager's id."""
    user = event.get("responded_by_user") or {}
    names = [str(user[key]) for key in ("name", "id") if user.get(key)]
    known = {*question.starters, *(question.people or ())}
    return next((name for name in names if name in known), next(iter(names), ""))


def _passed(approval: "Approval") -> dict[str, Any]:
    if not approval.approved:
        raise AirflowSkipException(
            f"{approval.model} version {approval.version} is rejected by {approval.actor}"
            + (f": {approval.reason}" if approval.reason else "")
        )
    return approval.to_json()
