"""Make an approved version the champion."""

from typing import TYPE_CHECKING, Any

from trimtab_airflow.operators.base import StageOperator, number

if TYPE_CHECKING:
    from airflow.sdk import Context

    from trimtab.environment import Environment


class PromoteOperator(StageOperator):
    """Swap the champion in the ledger, or fail because somebody else did meanwhile.

    Args:
        model: name of the model.
        version: the approved version.
    """

    template_fields = ("model", "version")

    def __init__(self, *, model: str, version: int | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model = model
        self.version = version

    def stage(self, env: "Environment", context: "Context") -> dict[str, Any]:
        """Return the champion."""
        from trimtab.evaluation import card
        from trimtab.stages.promote import promote

        champion = promote(env, self.model, number(self.version))
        self.report = card.path(self.model, champion.version)
        self.log.info(
            "%s: version %d serves, generation %d, before it version %s",
            self.model,
            champion.version,
            champion.generation,
            champion.previous or "none",
        )
        for outlet in self.outlets or ():
            context["outlet_events"][outlet].extra = {"version": champion.version}
        return champion.to_json()
