"""Do what monitoring found to be right, and tell people."""

from typing import TYPE_CHECKING, Any

from trimtab_airflow import assets
from trimtab_airflow.links import absolute, report_url
from trimtab_airflow.operators.base import StageOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from trimtab.environment import Environment
    from trimtab.watch import Acted


class ActOperator(StageOperator):
    """Act on every triage nobody has acted on; wakes the training only when one is asked for.

    The ring goes through an alias, because an outlet would ring after a rollback as well.

    Args:
        model: name of the model.
    """

    template_fields = ("model",)

    def __init__(self, *, model: str, **kwargs: Any) -> None:
        super().__init__(outlets=[assets.asked(model)], **kwargs)
        self.model = model

    def stage(self, env: "Environment", context: "Context") -> list[dict[str, Any]]:
        """Return what was done about each window."""
        from trimtab.stages.act import act
        from trimtab.stages.tell import Links

        run = str(getattr(context.get("ti"), "log_url", "") or "")
        links = Links(page=lambda page: absolute(report_url(page)), run=run)
        done = act(env, self.model, links)
        for acted in done:
            self.log.info("%s %s: %s, %s", self.model, acted.partition, acted.outcome, acted.what)
        self._ring(context, [acted for acted in done if acted.retrain])
        return [acted.to_json() for acted in done]

    def _ring(self, context: "Context", asked: "list[Acted]") -> None:
        if not asked:
            return
        extra = {"reason": asked[-1].what, "partition": asked[-1].partition, "key": asked[-1].key}
        context["outlet_events"][assets.asked(self.model)].add(assets.retrain(self.model), extra)
