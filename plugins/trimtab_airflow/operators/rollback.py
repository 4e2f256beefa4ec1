"""Put an earlier version back to serve."""

from typing import TYPE_CHECKING, Any

from trimtab_airflow.operators.base import StageOperator, optional_number, starter

if TYPE_CHECKING:
    from airflow.sdk import Context

    from trimtab.environment import Environment


class RollbackOperator(StageOperator):
    """Make an earlier version the champion again, at once, and tell everybody who did it and why.

    Args:
        model: name of the model.
        version: the version to go back to; the champion before this one when empty.
        reason: why, for the ledger.
    """

    template_fields = ("model", "version", "reason")

    def __init__(
        self, *, model: str, version: int | str | None = None, reason: str, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.model = model
        self.version = version
        self.reason = reason

    def stage(self, env: "Environment", context: "Context") -> dict[str, Any]:
        """Return the champion."""
        from trimtab.stages.rollback import rollback

        champion = rollback(
            env,
            self.model,
            to=optional_number(self.version),
            reason=self.reason,
            actor=starter(context),
        )
        self.log.info(
            "%s: rolled back to version %s from %s",
            self.model,
            champion.version,
            champion.previous,
        )
        return champion.to_json()
