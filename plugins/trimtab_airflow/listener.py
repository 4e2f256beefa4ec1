"""The reason of a training in the note of its run. A task cannot write there, the scheduler can."""

import logging
from typing import TYPE_CHECKING

from airflow.listeners import hookimpl

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun

log = logging.getLogger(__name__)
_LONGEST = 1000  # characters that Airflow keeps of a note


@hookimpl
def on_dag_run_running(dag_run: "DagRun", msg: str) -> None:
    """Note why a training was asked for, as the asset's events say; called by the scheduler."""
    if not dag_run.dag_id.endswith(".train") or dag_run.note:
        return
    reasons = [
        str(event.extra["reason"])
        for event in dag_run.consumed_asset_events
        if event.asset.name.startswith("retrain.") and (event.extra or {}).get("reason")
    ]
    if reasons:
        dag_run.note = "; ".join(dict.fromkeys(reasons))[:_LONGEST]
