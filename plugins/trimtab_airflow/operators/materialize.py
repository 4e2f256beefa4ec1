"""Put the newest row of each entity of a feature view online."""

from typing import TYPE_CHECKING, Any

from trimtab_airflow.operators.base import StageOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from trimtab.environment import Environment


class MaterializeOperator(StageOperator):
    """Put what the newest version of the view's dataset says online; twice is once.

    Args:
        view: name of the feature view.
    """

    template_fields = ("view",)

    def __init__(self, *, view: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.view = view

    def stage(self, env: "Environment", context: "Context") -> dict[str, Any]:
        """Return version, rows and place."""
        from trimtab.stages.materialize import materialize

        made = materialize(env, self.view)
        self.log.info(
            "%s: %s rows of %s version %d online in %s%s",
            self.view,
            made.rows,
            made.dataset,
            made.version,
            made.place,
            ", only the news" if made.incremental else "",
        )
        return made.to_json(include={"version", "rows", "incremental", "place"})
