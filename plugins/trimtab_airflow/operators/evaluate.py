"""Judge a candidate against thresholds, baseline and champion."""

from typing import TYPE_CHECKING, Any

from trimtab_airflow.operators.base import DecidingOperator, number

if TYPE_CHECKING:
    from airflow.sdk import Context

    from trimtab.environment import Environment


class EvaluateOperator(DecidingOperator):
    """Put a candidate through the gate. A refusal is a normal outcome: what follows is skipped.

    Args:
        model: name of the model.
        version: the candidate, as `TrainOperator` returns it.
    """

    template_fields = ("model", "version")

    def __init__(self, *, model: str, version: int | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model = model
        self.version = version

    def stage(self, env: "Environment", context: "Context") -> dict[str, Any]:
        """Return the verdict with its reasons."""
        from trimtab.stages.evaluate import evaluate

        verdict = evaluate(env, self.model, number(self.version))
        self.report = verdict.report
        self.log.info(
            "%s version %d: %s, %s %.4f: %s",
            self.model,
            verdict.version,
            verdict.verdict,
            verdict.primary,
            verdict.value,
            "; ".join(verdict.reasons),
        )
        names = {"version", "verdict", "reasons", "primary", "value", "champion", "report", "rows"}
        result = verdict.to_json(include=names)
        if verdict.verdict != "PROMOTE":
            self.end_run(context, result)
        return result
