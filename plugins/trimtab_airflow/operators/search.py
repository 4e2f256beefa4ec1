"""One worker of a shared search."""

from typing import TYPE_CHECKING, Any

from trimtab_airflow.operators.base import StageOperator
from trimtab_airflow.progress import teller

if TYPE_CHECKING:
    from airflow.sdk import Context

    from trimtab.environment import Environment


class SearchOperator(StageOperator):
    """Take trials of one search until the budget all workers share is used.

    Args:
        model: name of the model.
        features_key: key of the feature set, as `FeaturesOperator` returns it.
        worker: number of this worker, from 1.
    """

    template_fields = ("model", "features_key")

    def __init__(self, *, model: str, features_key: str, worker: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model = model
        self.features_key = features_key
        self.worker = worker

    def stage(self, env: "Environment", context: "Context") -> dict[str, Any]:
        """Return how many trials it took; progress can be read while it runs."""
        from trimtab.stages.search import search

        name = f"worker {self.worker}"
        context["worker_and_share"] = name  # type: ignore[typeddict-unknown-key]
        tell = teller(context, self.model, self.log)
        share = search(env, self.model, self.features_key, self.worker, progress=tell)
        context["worker_and_share"] = f"{name}: {share.trials} trial(s)"  # type: ignore[typeddict-unknown-key]
        self.log.info("%s: worker %d ran %d trials", self.model, self.worker, share.trials)
        return share.to_json()
