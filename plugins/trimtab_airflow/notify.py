"""Messages to people from inside Airflow, through the channels among Airflow's connections."""

import logging
from typing import TYPE_CHECKING

from airflow.sdk import BaseNotifier

from trimtab.adapters.connections import Connection, UnknownConnectionError
from trimtab.adapters.notify import Notifier
from trimtab.errors import TrimtabError
from trimtab_airflow.connections import airflow_connection

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logging.getLogger(__name__)


class FailureNotifier(BaseNotifier):
    """Tells people that a task has failed for good: which, why, and where its log is."""

    def notify(self, context: "Context") -> None:
        """Send the message; called by Airflow in the worker."""
        task = context["ti"]
        error = str(context.get("exception") or context.get("reason") or "no reason given")
        title = f"{task.dag_id}: task {task.task_id} failed"
        log_url = getattr(task, "log_url", None)
        notifier = ChannelNotifier(_environment_webhook())
        notifier.send("error", title, error, run_id=task.run_id, log_url=log_url)


class ChannelNotifier(Notifier):
    """Takes a stage's messages inside Airflow, which knows more connections."""

    def __init__(self, webhook: str | None = None) -> None:
        super().__init__(webhook, _connection)


def _environment_webhook() -> str | None:
    from trimtab.config.loader import load_environment
    from trimtab.paths import default_config, default_environment

    try:
        return load_environment(default_config(), default_environment()).notify.webhook
    except TrimtabError as error:
        log.warning("the environment file names no webhook: %s", error)
        return None


def _connection(name: str) -> Connection:
    """Return the connection of a channel; there may be none, or nobody to ask for it."""
    try:
        return airflow_connection(name)
    except UnknownConnectionError:
        raise
    except Exception as error:  # Airflow raises other types in a callback, and outside of a task
        raise UnknownConnectionError(f"nobody knows {name}: {error}") from error
