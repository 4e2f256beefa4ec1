"""What every stage's operator shares: a late environment, errors by kind, links to the evidence."""

import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, BaseOperatorLink, SkipMixin
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from trimtab.errors import DependencyError, LedgerConflictError, NotReadyError, TrimtabError
from trimtab_airflow.links import MlflowLink, ReportLink

if TYPE_CHECKING:
    from airflow.sdk import Context

    from trimtab.environment import Environment

log = logging.getLogger(__name__)


@contextmanager
def stage_errors() -> Iterator[None]:
    """Say in Airflow's terms what a stage's error means.

    Nothing to do skips. A store that did not answer, or somebody who decided first, may be tried
    again. Everything else we raise on purpose stays as it is however often it is tried; the log
    says it in a line of its own, for a traceback shows its message at the right edge of the page.
    """
    try:
        yield
    except NotReadyError as error:
        raise AirflowSkipException(str(error)) from error
    except (DependencyError, LedgerConflictError):
        raise
    except TrimtabError as error:
        log.error("%s", error)
        raise AirflowFailException(str(error)) from error


def environment(context: Mapping[str, Any]) -> "Environment":
    """Open the environment with what Airflow knows: connections, channels, who started the run."""
    from trimtab.environment import open_environment
    from trimtab_airflow.connections import airflow_connection
    from trimtab_airflow.notify import ChannelNotifier

    return open_environment(
        notifier=ChannelNotifier,
        connections=airflow_connection,
        origin=origin(context),
        actor=starter(context),
    )


class StageOperator(BaseOperator):
    """Runs one stage. Subclasses say which in `stage`; arguments are only stored before that."""

    ui_color = "#e8f1f8"
    operator_extra_links: Collection[BaseOperatorLink] = (ReportLink(), MlflowLink())
    report: str | None = None  # page under lake/reports, set by the stage
    run_id: str | None = None  # MLflow run, set by the stage

    def execute(self, context: "Context") -> Any:
        """Open the environment, run the stage, return small plain JSON."""
        with stage_errors():
            return self.stage(environment(context), context)

    def stage(self, env: "Environment", context: "Context") -> Any:
        """Do the work."""
        raise NotImplementedError


class DecidingOperator(StageOperator, SkipMixin):
    """A stage that may find that the run ends here, and well."""

    inherits_from_skipmixin = True

    def end_run(self, context: "Context", result: Any) -> None:
        """Skip every later task. Raises; the result is kept first, for a skip drops it."""
        context["ti"].xcom_push(key="return_value", value=result)
        self.skip(context["ti"], self.get_flat_relatives(upstream=False))


def number(text: Any) -> int:
    """Read a version that came through a template."""
    try:
        return int(text)
    except (TypeError, ValueError) as error:
        raise AirflowFailException(
            f"{text!r} is no version number; the task before has to succeed first"
        ) from error


def optional_number(text: Any) -> int | None:
    """Read a version that may have been left empty in a form."""
    return None if text in (None, "", "None") else number(text)


def optional_moment(text: Any) -> datetime | None:
    """Read a moment that may have been left empty in a form."""
    if text in (None, "", "None"):
        return None
    try:
        return datetime.fromisoformat(str(text))
    except ValueError as error:
        raise AirflowFailException(f"{error}; write 2026-03-03T12:00Z") from error


def flag(value: Any) -> bool:
    """Read a yes or no that came through a template."""
    return value if isinstance(value, bool) else str(value).strip().lower() == "true"


def origin(context: Mapping[str, Any]) -> dict[str, Any] | None:
    """Name the attempt that writes into the ledger; None outside a run."""
    task = context.get("ti")
    if task is None:
        return None
    names = {"dag": "dag_id", "run": "run_id", "task": "task_id", "try": "try_number"}
    found = {name: getattr(task, attribute, None) for name, attribute in names.items()}
    if (index := getattr(task, "map_index", -1)) not in (-1, None):
        found["map"] = index
    plain = {name: value for name, value in found.items() if isinstance(value, str | int)}
    return {**plain, "started_by": starter(context)}


def starter(context: Mapping[str, Any]) -> str:
    """Name the person who started the run; ``airflow`` when a schedule or an event did."""
    run = context.get("dag_run")
    return getattr(run, "triggering_user_name", None) or "airflow"
