"""Score new rows with the champion."""

from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException

from trimtab_airflow.operators.base import StageOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from trimtab.environment import Environment


class ScoreOperator(StageOperator):
    """Score every published file that has no predictions yet; skipped when there is none.

    Args:
        model: name of the model.
    """

    template_fields = ("model",)

    def __init__(self, *, model: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model = model

    def stage(self, env: "Environment", context: "Context") -> list[dict[str, Any]]:
        """Return one record per scored file."""
        from trimtab.stages.score import score

        scored = score(env, self.model)
        if not scored:
            raise AirflowSkipException(f"{self.model}: nothing to score")
        rows, last = sum(scoring.rows for scoring in scored), scored[-1]
        self.log.info(
            "%s: %d rows of %d file(s) scored by version %d",
            self.model,
            rows,
            len(scored),
            last.version,
        )
        for outlet in self.outlets or ():
            context["outlet_events"][outlet].extra = {"version": last.version, "rows": rows}
        return [scoring.to_json() for scoring in scored]
