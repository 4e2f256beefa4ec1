"""Measure how fast a promoted version goes stale."""

from typing import TYPE_CHECKING, Any

from trimtab_airflow.operators.base import StageOperator, number

if TYPE_CHECKING:
    from airflow.sdk import Context

    from trimtab.environment import Environment


class StalenessOperator(StageOperator):
    """Draw the decay curve of a version; skipped when its rows span too few weeks.

    Args:
        model: name of the model.
        version: the promoted version.
    """

    template_fields = ("model", "version")

    def __init__(self, *, model: str, version: int | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model = model
        self.version = version

    def stage(self, env: "Environment", context: "Context") -> dict[str, Any]:
        """Return the suggested maximum age and why."""
        from trimtab.stages.staleness import staleness

        found = staleness(env, self.model, number(self.version))
        self.report = found.report
        self.log.info("%s version %d: %s", self.model, found.version, found.reason)
        return found.to_json(include={"version", "max_age_weeks", "reason", "folds", "report"})
