"""Decide what an observation asks for."""

from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException

from trimtab_airflow.operators.base import StageOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from trimtab.environment import Environment


class RetrainOperator(StageOperator):
    """Decide on every undecided observation; wakes the training only when one asks for it.

    Args:
        model: name of the model.
    """

    template_fields = ("model",)

    def __init__(self, *, model: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model = model

    def stage(self, env: "Environment", context: "Context") -> list[dict[str, Any]]:
        """Return the decisions that ask for a training."""
        from trimtab.stages.retrain import decide

        decisions = decide(env, self.model)
        for decision in decisions:
            verdict = "retrain" if decision.retrain else "no retraining"
            self.log.info("%s %s: %s, %s", self.model, decision.partition, verdict, decision.reason)
        wanted = [decision.to_json() for decision in decisions if decision.retrain]
        if not wanted:
            reasons = "; ".join(d.reason for d in decisions) or "no new observation"
            raise AirflowSkipException(f"{self.model}: nothing to do ({reasons})")
        return wanted
