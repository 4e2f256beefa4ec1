"""Look for files nobody has judged."""

from typing import TYPE_CHECKING, Any

from trimtab_airflow.operators.base import DecidingOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from trimtab.environment import Environment


class DiscoverOperator(DecidingOperator):
    """List the complete, unjudged files of a dataset; end the run when there is nothing to do.

    Files that an earlier run accepted and could not carry through count as something to do.

    Args:
        dataset: name of the dataset.
    """

    template_fields = ("dataset",)

    def __init__(self, *, dataset: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dataset = dataset

    def stage(self, env: "Environment", context: "Context") -> list[dict[str, Any]]:
        """Return one record per landed file."""
        from trimtab.stages.backlog import unpublished, unvalidated
        from trimtab.stages.ingest import discover

        files = [file.to_json() for file in discover(env, self.dataset)]
        left = {*unvalidated(env, self.dataset), *unpublished(env, self.dataset)}
        self.log.info("%s: %d new file(s), %d to finish", self.dataset, len(files), len(left))
        if not files and not left:
            self.end_run(context, files)
        return files
