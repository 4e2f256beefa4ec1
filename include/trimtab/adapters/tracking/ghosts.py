"""Runs and models of ours that are still open. Whether anybody will end them, the ledger knows."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from trimtab.adapters.tracking.entry import KEY

if TYPE_CHECKING:
    from mlflow import MlflowClient

REASON = "trimtab.killed"
_PAGE = 1000
_LITTLE = 100  # models; their pages are heavy


@dataclass(frozen=True)
class Ghost:
    """A run that is RUNNING, or a model that is PENDING: of which training, and since when."""

    what: Literal["run", "model"]
    id: str
    model: str
    key: str
    name: str
    since: datetime


def open_ones(client: "MlflowClient", models: Iterable[str]) -> list[Ghost]:
    """Return the open runs and models that carry our key, nested runs too."""
    wanted = set(models)
    names = {
        experiment.experiment_id: experiment.name
        for experiment in _pages(client.search_experiments)
        if experiment.name in wanted
    }
    if not names:
        return []
    return [*_runs(client, names), *_models(client, names)]


def end(client: "MlflowClient", ghost: Ghost, reason: str) -> None:
    """End a run as KILLED, a model as FAILED, and say why on it."""
    if ghost.what == "model":
        client.set_logged_model_tags(ghost.id, {REASON: reason})
        client.finalize_logged_model(ghost.id, "FAILED")
        return
    client.set_tag(ghost.id, REASON, reason)
    client.set_terminated(ghost.id, "KILLED")


def _runs(client: "MlflowClient", names: dict[str, str]) -> Iterator[Ghost]:
    wanted, running = list(names), "attributes.status = 'RUNNING'"
    for run in _pages(client.search_runs, experiment_ids=wanted, filter_string=running):
        if KEY in run.data.tags:
            info = run.info
            place, name = names[info.experiment_id], info.run_name or ""
            yield Ghost(
                "run", str(info.run_id), place, run.data.tags[KEY], name, _moment(info.start_time)
            )


def _models(client: "MlflowClient", names: dict[str, str]) -> Iterator[Ghost]:
    search = client.search_logged_models
    for kept in _pages(search, experiment_ids=list(names), page=_LITTLE):
        if str(kept.status) == "PENDING" and KEY in kept.tags:
            place, since = names[kept.experiment_id], _moment(kept.creation_timestamp)
            yield Ghost("model", kept.model_id, place, kept.tags[KEY], kept.name, since)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _pages(search: Any, *, page: int = _PAGE, **query: Any) -> Iterator[Any]:
    token = None
    while True:
        found = search(max_results=page, page_token=token, **query)
        yield from found
        token = found.token
        if not token:
            return
