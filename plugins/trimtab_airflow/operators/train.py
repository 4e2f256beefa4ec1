"""Search, train and package a candidate."""

from typing import TYPE_CHECKING, Any

from trimtab_airflow.operators.base import StageOperator
from trimtab_airflow.progress import teller

if TYPE_CHECKING:
    from airflow.sdk import Context

    from trimtab.environment import Environment


class TrainOperator(StageOperator):
    """Train a candidate on one feature set; the same feature set gives the same version.

    Args:
        model: name of the model.
        features_key: key of the feature set, as `FeaturesOperator` returns it.
    """

    template_fields = ("model", "features_key")

    def __init__(self, *, model: str, features_key: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model = model
        self.features_key = features_key

    def stage(self, env: "Environment", context: "Context") -> dict[str, Any]:
        """Return version, estimator and scores; progress can be read while it runs."""
        from trimtab.stages.train import train

        tell = teller(context, self.model, self.log)
        candidate = train(env, self.model, self.features_key, progress=tell)
        self.run_id = candidate.run_id
        self.log.info(
            "%s: version %d is %s after %d trials in %.1f s, validation %s",
            self.model,
            candidate.version,
            candidate.estimator,
            candidate.trials,
            candidate.seconds,
            {name: round(value, 4) for name, value in candidate.validation.items()},
        )
        names = {"version", "estimator", "validation", "trials", "run_id", "seconds"}
        return candidate.to_json(include=names)
