"""Make MLflow show what the ledger says."""

from typing import TYPE_CHECKING, Any

from trimtab_airflow.operators.base import StageOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from trimtab.environment import Environment


class TrackingOperator(StageOperator):
    """Tell MLflow what it missed, close runs nobody will end, put champion aliases right."""

    def stage(self, env: "Environment", context: "Context") -> dict[str, Any]:
        """Return what was done, and what still waits."""
        from trimtab.stages.sync import sync

        found = sync(env)
        self.log.info(
            "%s: %d decision(s) told, %d wait, %d run(s) closed, %d alias(es) moved",
            found.place,
            len(found.told),
            len(found.waiting),
            len(found.killed),
            len(found.aliases),
        )
        for problem in found.problems:
            self.log.warning("%s", problem)
        return found.to_json()
