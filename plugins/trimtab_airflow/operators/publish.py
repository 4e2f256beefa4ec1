"""Turn validated files into dataset versions."""

from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException

from trimtab_airflow.operators.base import StageOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from trimtab.environment import Environment


class PublishOperator(StageOperator):
    """Publish every validated file, one atomic commit each; silent when there is none.

    Args:
        dataset: name of the dataset.
    """

    template_fields = ("dataset",)

    def __init__(self, *, dataset: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dataset = dataset

    def stage(self, env: "Environment", context: "Context") -> list[dict[str, Any]]:
        """Return the versions made; they also travel in the asset event."""
        from trimtab.stages.backlog import unpublished
        from trimtab.stages.publish import publish

        versions = publish(env, self.dataset, unpublished(env, self.dataset))
        if not versions:
            raise AirflowSkipException(f"{self.dataset}: no file passed, nothing to publish")
        last = versions[-1]
        self.log.info(
            "%s: %d file(s) published, version %d, %d rows",
            self.dataset,
            len(versions),
            last.version,
            last.total_rows,
        )
        self._tell(context, last.version, sorted({p for v in versions for p in v.partitions}))
        return [version.to_json() for version in versions]

    def _tell(self, context: "Context", version: int, partitions: list[str]) -> None:
        for outlet in self.outlets or ():
            context["outlet_events"][outlet].extra = {
                "version": version,
                "partitions": list(partitions),
            }
