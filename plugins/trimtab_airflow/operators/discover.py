"""Look for files nobody has judged."""

from typing import TYPE_CHECKING, Any

from trimtab_airflow.operators.base import StageOperator, skip_all_after

if TYPE_CHECKING:
    from airflow.sdk import Context

    from trimtab.environment import Environment


class DiscoverOperator(StageOperator):
    """List the complete, unjudged files of a dataset; end the run when there is nothing to do.

    Files that an earlier run accepted and could not carry through count as something to do.

    Args:
        dataset: name of the dataset.
    """

    template_fields = ("dataset",)
    inherits_from_skipmixin = True

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
            skip_all_after(self, context, files)
        return files
