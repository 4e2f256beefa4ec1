"""What every DAG of ours is given: owner, retries by kind of error, time-outs, tags, a callback."""

import functools
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import (
    DAG,
    Asset,
    AssetOrTimeSchedule,
    CronTriggerTimetable,
    ExceptionRetryPolicy,
    Param,
    RetryAction,
    RetryRule,
)
from airflow.sdk.definitions.asset import AssetAny

from trimtab.errors import DependencyError, LedgerConflictError, TrimtabError
from trimtab_airflow.notify import FailureNotifier

# Fixed: a start date that moves gives a DAG a new version at every parse.
_START = datetime(2024, 1, 1, tzinfo=UTC)
_POLICY = ExceptionRetryPolicy(
    rules=[
        RetryRule(exception=DependencyError, action=RetryAction.DEFAULT, reason="did not answer"),
        RetryRule(exception=LedgerConflictError, action=RetryAction.RETRY, reason="others decided"),
        RetryRule(exception=TrimtabError, action=RetryAction.FAIL, reason="a retry cannot help"),
    ]
)


def new_dag(
    dag_id: str,
    *,
    owner: str,
    tags: tuple[str, ...],
    doc: str,
    display: str,
    schedule: AssetOrTimeSchedule | CronTriggerTimetable | None,
    params: Mapping[str, Param] | None = None,
    task_hours: float = 2,
) -> DAG:
    """Return an empty DAG; tasks may run for ``task_hours`` each."""
    return DAG(
        dag_id,
        description=display,
        doc_md=doc,
        schedule=schedule,
        start_date=_START,
        catchup=False,
        max_active_runs=1,
        tags=sorted({"trimtab", *tags}),
        params=dict(params or {}),
        dagrun_timeout=None,  # an approval may take days; tasks have their own limits
        default_args=default_args(owner, task_hours),
    )


def default_args(owner: str, task_hours: float) -> dict[str, Any]:
    """Arguments of every task. Data errors never come to a retry: `stage_errors` ends them."""
    return {
        "owner": owner,
        "retries": 3,
        "retry_delay": timedelta(seconds=10),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(minutes=10),
        "retry_policy": _POLICY,
        "execution_timeout": timedelta(hours=task_hours),
        "on_failure_callback": [FailureNotifier()],
    }


def schedule(cron: str, *assets: Asset) -> AssetOrTimeSchedule:
    """Run when any of the assets rings, and by cron, because rings do get lost.

    Raises:
        ValueError: the cron expression is none.
    """
    check_cron(cron)
    timetable = CronTriggerTimetable(cron, timezone="UTC")
    return AssetOrTimeSchedule(timetable=timetable, assets=AssetAny(*assets))


@functools.cache
def check_cron(text: str) -> None:
    """Refuse here what Airflow would refuse only when it has parsed the whole file.

    Raises:
        ValueError: the cron expression is none.
    """
    from airflow.timetables.trigger import CronTriggerTimetable as Scheduled

    try:
        Scheduled(text, timezone="UTC").validate()
    except Exception as error:  # croniter, the describer and Airflow each have their own
        raise ValueError(f"{text!r} is no cron expression: {error}") from error
