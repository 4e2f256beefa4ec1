"""Put an earlier version back to serve."""

from typing import TYPE_CHECKING, Any

from trimtab_airflow.operators.base import (
    StageOperator,
    flag,
    optional_moment,
    optional_number,
    starter,
)

if TYPE_CHECKING:
    from airflow.sdk import Context

    from trimtab.environment import Environment


class RollbackOperator(StageOperator):
    """Make an earlier version the champion again, at once, and tell everybody who did it and why.

    Args:
        model: name of the model.
        version: the version to go back to; the last approved one that is not blocked when empty.
        moment: go back to the version that served then, in place of ``version``.
        reason: why, for the ledger.
        override_freeze: do it although changes are frozen.
    """

    template_fields = ("model", "version", "moment", "reason", "override_freeze")

    def __init__(
        self,
        *,
        model: str,
        version: int | str | None = None,
        moment: str = "",
        reason: str,
        override_freeze: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.model = model
        self.version = version
        self.moment = moment
        self.reason = reason
        self.override_freeze = override_freeze

    def stage(self, env: "Environment", context: "Context") -> dict[str, Any]:
        """Return the champion."""
        from trimtab.stages.rollback import rollback

        champion = rollback(
            env,
            self.model,
            to=optional_number(self.version),
            at=optional_moment(self.moment),
            reason=self.reason,
            actor=starter(context),
            override_freeze=flag(self.override_freeze),
            request=f"{self.dag_id} {context['run_id']}",
        )
        self.log.info(
            "%s: rolled back to version %s from %s",
            self.model,
            champion.version,
            champion.previous,
        )
        return champion.to_json()
