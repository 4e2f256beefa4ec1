"""Look at what was scored: data, predictions, and the truth where it is known by now."""

from typing import TYPE_CHECKING, Any

from trimtab_airflow.operators.base import StageOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from trimtab.environment import Environment
    from trimtab.watch import Observation


class MonitorOperator(StageOperator):
    """Observe every scored file that was not observed yet; skipped when there is none.

    Args:
        model: name of the model.
    """

    template_fields = ("model",)

    def __init__(self, *, model: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model = model

    def stage(self, env: "Environment", context: "Context") -> list[dict[str, Any]]:
        """Return a summary per file; the findings are in the ledger and on the report."""
        from trimtab.stages.monitor import monitor

        seen = monitor(env, self.model)
        for observation in seen:
            self._log(observation)
        self.report = next((o.report for o in reversed(seen) if o.report), None)
        return [observation.to_json(exclude={"findings"}) for observation in seen]

    def _log(self, observation: "Observation") -> None:
        loud = sum(finding.status == "moved" for finding in observation.findings)
        self.log.info(
            "%s %s: %d rows, %d of %d findings above threshold, alarm %s. %s",
            self.model,
            observation.partition,
            observation.rows,
            loud,
            len(observation.findings),
            [alarm.signal for alarm in observation.alarm] or "none",
            observation.summary,
        )
