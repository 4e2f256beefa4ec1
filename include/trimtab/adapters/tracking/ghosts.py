"""Runs of ours that are still open. Whether anybody will close them, the ledger knows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from trimtab.adapters.tracking.entry import KEY

if TYPE_CHECKING:
    from mlflow import MlflowClient

REASON = "trimtab.killed"
_PAGE = 1000


@dataclass(frozen=True)
class Ghost:
    """A run that is RUNNING: of which training, and since when."""

    run_id: str
    model: str
    key: str
    name: str
    since: datetime


def running(client: "MlflowClient", models: Iterable[str]) -> list[Ghost]:
    """Return the open runs that carry our key, nested ones too."""
    wanted = set(models)
    names = {
        experiment.experiment_id: experiment.name
        for experiment in _pages(client.search_experiments)
        if experiment.name in wanted
    }
    if not names:
        return []
    query = {"experiment_ids": list(names), "filter_string": "attributes.status = 'RUNNING'"}
    return [
        Ghost(
            str(run.info.run_id),
            names[run.info.experiment_id],
            run.data.tags[KEY],
            run.info.run_name or "",
            datetime.fromtimestamp(run.info.start_time / 1000, UTC),
        )
        for run in _pages(client.search_runs, **query)
        if KEY in run.data.tags
    ]


def kill(client: "MlflowClient", ghost: Ghost, reason: str) -> None:
    """End a run as KILLED and say why on it."""
    client.set_tag(ghost.run_id, REASON, reason)
    client.set_terminated(ghost.run_id, "KILLED")


def _pages(search: Any, **query: Any) -> Iterable[Any]:
    token = None
    while True:
        page = search(max_results=_PAGE, page_token=token, **query)
        yield from page
        token = page.token
        if not token:
            return
