"""Wait, without holding a worker, until a dataset has files nobody has judged."""

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator

from trimtab_airflow.operators.base import stage_errors
from trimtab_airflow.triggers.landing import LandingTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context


class NewFilesSensor(BaseSensorOperator):
    """Return the names of a dataset's complete, unjudged files; look once, then defer.

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

        with stage_errors():
            env = open_environment()
            if files := discover(env, self.dataset):
                return self._found([file.name for file in files])
            source = env.project.dataset(self.dataset).source
        self.defer(
            trigger=LandingTrigger(
                dataset=self.dataset,
                uri=getattr(source, "uri", ""),
                pattern=getattr(source, "pattern", "*"),
                settle=getattr(source, "settle", source.poll).total_seconds(),
                poll=min(self.poke_interval, 5.0),
            ),
            method_name="resume",
            timeout=self._timeout(),
        )
        raise AssertionError("defer() always raises")

    def resume(self, context: "Context", event: dict[str, Any] | None = None) -> list[str]:
        """Return the names the trigger saw."""
        return self._found((event or {}).get("files", []))

    def _timeout(self) -> Any:
        from datetime import timedelta

        return timedelta(seconds=float(self.timeout))

    def _found(self, names: list[str]) -> list[str]:
        self.log.info("%s: %d new file(s): %s", self.dataset, len(names), ", ".join(names))
        return names
