"""Wait, without holding a worker, until a dataset has something new that nobody has judged."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator

from trimtab_airflow.operators.base import stage_errors
from trimtab_airflow.triggers.new_data import NewDataTrigger
from trimtab_airflow.triggers.watch import fingerprint

if TYPE_CHECKING:
    from airflow.sdk import Context


class NewDataSensor(BaseSensorOperator):
    """Return the names of a dataset's complete, unjudged files; look once, then defer.

    For every kind of source. How often it is looked at stands in the dataset's file (``poll``).

    Args:
        dataset: name of the dataset.
    """

    template_fields = ("dataset",)

    def __init__(self, *, dataset: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dataset = dataset

    def execute(self, context: "Context") -> list[str]:
        """Return at once when something is there, else wait in the triggerer."""
        from trimtab.environment import open_environment
        from trimtab.stages.ingest import discover
        from trimtab_airflow.connections import airflow_connection

        with stage_errors():
            env = open_environment(connections=airflow_connection)
            if files := discover(env, self.dataset):
                return self._found([file.name for file in files])
            source = env.project.dataset(self.dataset).source
        self.defer(
            trigger=NewDataTrigger(dataset=self.dataset, fingerprint=fingerprint(source)),
            method_name="resume",
            timeout=timedelta(seconds=float(self.timeout)),
        )
        raise AssertionError("defer() always raises")

    def resume(self, context: "Context", event: dict[str, Any] | None = None) -> list[str]:
        """Return the names the trigger saw."""
        return self._found((event or {}).get("files", []))

    def _found(self, names: list[str]) -> list[str]:
        self.log.info("%s: %d new file(s): %s", self.dataset, len(names), ", ".join(names))
        return names
