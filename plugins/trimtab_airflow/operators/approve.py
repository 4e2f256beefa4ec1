"""Let a version that passed the gate serve, or not: by rule, or by a person."""

from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from trimtab_airflow.operators.base import StageOperator, number, stage_errors, starter

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import timedelta

    from airflow.sdk import Context

    from trimtab.environment import Environment
    from trimtab.types import Approval

# The simple auth manager's user where everybody is admin: on a laptop there is one pair of eyes.
_ANYBODY = "Anonymous"
_BODY = """\
{% set gate = ti.xcom_pull(task_ids='evaluate') or {} %}
**{{ gate.get('verdict', 'unknown verdict') }}** by the gate:
{{ gate.get('primary', '') }} {{ gate.get('value', '') }} on {{ gate.get('rows', '?') }} rows,
compared with version {{ gate.get('champion') or 'none' }}.
{% for reason in gate.get('reasons', []) %}
- {{ reason }}
{%- endfor %}

[Gate report](%REPORTS%/{{ gate.get('report') or '' }})
"""


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
    """Ask a person whether a version may serve, and record the answer in the ledger.

    The person who started the run cannot approve it (four eyes). No answer in time is a no.

    Args:
        model: name of the model.
        version: the version, as `EvaluateOperator` returns it.
        users: who may answer; anyone with the right to, when empty.
        timeout: how long to wait.
    """

    template_fields = ("model", "version", "subject", "body")

    def __init__(
        self,
        *,
        model: str,
        version: int | str,
        users: "Collection[str]" = (),
        timeout: "timedelta",
        **kwargs: Any,
    ) -> None:
        from trimtab_airflow.links import report_url

        kwargs.setdefault("subject", f"May {model} version {version} serve?")
        kwargs.setdefault("body", _BODY.replace("%REPORTS%", report_url(None).rstrip("/")))
        reason = Param("", type="string", title="Reason", description="goes into the ledger")
        super().__init__(
            assigned_users=[{"id": user, "name": user} for user in users] or None,
            response_timeout=timeout,
            defaults=self.REJECT,
            # Airflow's own limit would cut the wait; its kwargs hold the params of the DAG's form.
            **{**kwargs, "execution_timeout": None, "params": {"reason": reason}},
        )
        self.model = model
        self.version = version
        self.users = tuple(users)
        self.timeout = timeout

    def execute(self, context: "Context") -> Any:
        """Ask, unless the ledger has the answer already."""
        from trimtab.environment import open_environment
        from trimtab.types import Approval
        from trimtab_airflow.notify import ChannelNotifier

        with stage_errors():
            env = open_environment(notifier=ChannelNotifier)
            found = env.ledger.find("approval", self.model, str(number(self.version)))
        if found:
            return _passed(Approval.model_validate(found.payload))
        title = f"{self.model}: version {self.version} passed the gate and waits for an answer"
        env.notifier.send("info", title, f"{context['ti'].log_url} (Required Actions)")
        return super().execute(context)

    def execute_complete(self, context: "Context", event: dict[str, Any]) -> dict[str, Any]:
        """Record the answer; go on only when it is yes."""
        if "error" in event:
            self.process_trigger_event_error(event)
        approved = event["chosen_options"] == [self.APPROVE]
        who = _answerer(event)
        if approved and who == starter(context) and who != _ANYBODY:
            raise AirflowFailException(
                f"{who} started this run and cannot approve it; clear this task to ask again"
            )
        return self._record(approved, who or "nobody", self._reason(event, who))

    def _record(self, approved: bool, actor: str, reason: str) -> dict[str, Any]:
        from trimtab.environment import open_environment
        from trimtab.stages.approve import approve

        with stage_errors():
            approval = approve(
                open_environment(),
                self.model,
                number(self.version),
                approved=approved,
                actor=actor,
                reason=reason,
            )
        self.log.info("%s version %s: %s by %s", self.model, self.version, approval.approved, actor)
        return _passed(approval)

    def _reason(self, event: "Mapping[str, Any]", who: str | None) -> str:
        if who is None:
            return f"nobody answered within {self.timeout}"
        return str((event.get("params_input") or {}).get("reason") or "")


def _answerer(event: "Mapping[str, Any]") -> str | None:
    """Name the person who answered; None when the time ran out."""
    user = event.get("responded_by_user") or {}
    return user.get("name") or user.get("id")


def _passed(approval: "Approval") -> dict[str, Any]:
    if not approval.approved:
        raise AirflowSkipException(
            f"{approval.model} version {approval.version} is rejected by {approval.actor}"
            + (f": {approval.reason}" if approval.reason else "")
        )
    return approval.to_json()
