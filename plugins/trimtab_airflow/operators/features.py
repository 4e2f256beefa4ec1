"""Build the rows a model is trained and judged on."""

from typing import TYPE_CHECKING, Any

from trimtab_airflow.operators.base import StageOperator, flag, starter

if TYPE_CHECKING:
    from airflow.sdk import Context

    from trimtab.environment import Environment


class FeaturesOperator(StageOperator):
    """Join a model's rows once; skipped when there is no cause to train or data is not there yet.

    Args:
        model: name of the model.
        force: train even without a cause; records who asked.
        reason: why, for the ledger.
    """

    template_fields = ("model", "force", "reason")

    def __init__(
        self, *, model: str, force: bool | str = False, reason: str = "", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.model = model
        self.force = force
        self.reason = reason

    def stage(self, env: "Environment", context: "Context") -> dict[str, Any]:
        """Return key and size of the feature set."""
        from trimtab.stages.features import build_features

        force = flag(self.force)
        if force:
            self._request(env, context)
        built = build_features(env, self.model, force=force)
        self.log.info(
            "%s: %d rows to train, %d held out, %d without a label; cause %s",
            self.model,
            built.train_rows,
            built.holdout_rows,
            built.unlabelled,
            built.cause,
        )
        names = {"key", "cause", "train_rows", "holdout_rows", "unlabelled", "versions"}
        return built.to_json(include=names)

    def _request(self, env: "Environment", context: "Context") -> None:
        from trimtab.stages.retrain import request

        reason = self.reason or f"asked for in the form of {self.dag_id}"
        request(env, self.model, actor=starter(context), reason=reason)
