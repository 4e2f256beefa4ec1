"""How far a long task is, for whoever looks while it runs."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

KEY = "progress"  # in the task's state store, which the REST API shows


class Log(Protocol):
    """What an operator logs with: the standard library's logger, or Airflow's own."""

    def info(self, event: str, *args: Any) -> Any:
        """Log what people want to read."""

    def debug(self, event: str, *args: Any) -> Any:
        """Log what only a search for a fault needs."""


def teller(context: Mapping[str, Any], subject: str, log: Log) -> Callable[[str], None]:
    """Return a function that tells a line to the task's log and to its state store."""
    store = context.get("task_state_store")

    def tell(text: str) -> None:
        log.info("%s: %s", subject, text)
        if store is None:
            return
        try:
            store.set(KEY, text)
        except Exception as error:  # progress is a courtesy: it never fails a task
            log.debug("progress is not shown: %s", error)

    return tell
