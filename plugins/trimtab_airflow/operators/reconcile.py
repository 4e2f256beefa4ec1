"""Make MLflow show what the ledger says."""

from typing import TYPE_CHECKING, Any

from trimtab_airflow.operators.base import StageOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from trimtab.environment import Environment


class ReconcileOperator(StageOperator):
    """Tell MLflow what it missed, close what crashes left open, undo what was changed by hand."""

    def stage(self, env: "Environment", context: "Context") -> dict[str, Any]:
        """Return what was done, and what still waits."""
        from trimtab.stages.foreign import told
        from trimtab.stages.reconcile import reconcile

        found = reconcile(env)
        self.log.info(
            "%s: %d decision(s) told, %d wait, %d run(s) and model(s) closed, %d foreign change(s)",
            found.place,
            len(found.told),
            len(found.waiting),
            len(found.closed),
            len(found.foreign),
        )
        for change in found.foreign:
            self.log.warning("%s: %s", change.model, told(change))
        for problem in found.problems:
            self.log.warning("%s", problem)
        return found.to_json()
