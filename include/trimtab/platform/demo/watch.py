"""Is there still work? The ledger says what is unfinished, Airflow what is running."""

import json
import urllib.parse
import urllib.request
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trimtab.environment import Environment
from trimtab.errors import DependencyError
from trimtab.ledger import champion

PAGE = 100  # Airflow's own limit
_TELLING = ("search", "train")  # tasks that tell their progress


@dataclass(frozen=True)
class Task:
    """One attempt of a task in Airflow."""

    dag: str
    task: str
    state: str
    start: datetime | None
    end: datetime | None


class Airflow:
    """The REST API of the platform; everybody on this machine is admin."""

    def __init__(self, url: str) -> None:
        self.url = f"{url}/api/v2"

    def busy(self) -> list[str]:
        """DAGs with a run that is queued or running."""
        page = self._get("dags/~/dagRuns", state=["queued", "running"], limit=PAGE)
        return sorted({run["dag_id"] for run in page["dag_runs"]})

    def running(self) -> list[str]:
        """Tasks that run right now, as ``dag/task``, or what a long one says of its progress."""
        page = self._get(
            "dags/~/dagRuns/~/taskInstances", state=["running", "deferred"], limit=PAGE
        )
        told = [self._told(ti) for ti in page["task_instances"]]
        return sorted(told, key=lambda text: (": " not in text, text))  # a terminal is narrow

    def _told(self, ti: dict[str, Any]) -> str:
        """Say how far a task is: a search tells its last trial in the task's state store."""
        name = f"{ti['dag_id']}/{ti['task_id']}"
        if ti["task_id"] not in _TELLING:
            return name
        run, task = (urllib.parse.quote(ti[key], safe="") for key in ("dag_run_id", "task_id"))
        path = f"dags/{ti['dag_id']}/dagRuns/{run}/taskInstances/{task}/state-store/progress"
        try:
            text = self._get(path, map_index=ti["map_index"])["value"]
        except DependencyError:  # it has said nothing yet
            return name
        return f"{ti['dag_id'].rpartition('.')[0]}: {text}"

    def failed_runs(self, since: datetime) -> list[str]:
        """Runs that failed since then, as ``dag run``."""
        page = self._get(
            "dags/~/dagRuns", state=["failed"], limit=PAGE, start_date_gte=since.isoformat()
        )
        return [f"{run['dag_id']} {run['dag_run_id']}" for run in page["dag_runs"]]

    def tasks(self, since: datetime) -> list[Task]:
        """Every task that started since then."""
        return [
            Task(
                ti["dag_id"],
                ti["task_id"],
                ti["state"] or "",
                _time(ti, "start_date"),
                _time(ti, "end_date"),
            )
            for ti in self._pages("dags/~/dagRuns/~/taskInstances", "task_instances", since)
        ]

    def _pages(self, path: str, key: str, since: datetime) -> Iterator[dict[str, Any]]:
        offset = 0
        while True:
            found = self._get(path, limit=PAGE, offset=offset, start_date_gte=since.isoformat())
            yield from found[key]
            offset += PAGE
            if offset >= found["total_entries"]:
                return

    def _get(self, path: str, **query: Any) -> dict[str, Any]:
        address = f"{self.url}/{path}?{urllib.parse.urlencode(query, doseq=True)}"
        try:
            with urllib.request.urlopen(address, timeout=15) as reply:  # noqa: S310 our own page
                page: dict[str, Any] = json.load(reply)
        except OSError as error:
            raise DependencyError(f"Airflow does not answer at {address}: {error}") from error
        return page


def unfinished(env: Environment, delivered: Collection[tuple[str, str]]) -> list[str]:
    """What is still to be done for the delivered files ``(dataset, name)``; empty: settled."""
    open_work = [why for dataset, name in delivered if (why := _file(env, dataset, name))]
    if not open_work:
        open_work = [why for model in env.project.models for why in _model(env, model)]
    return open_work


def _file(env: Environment, dataset: str, name: str) -> str | None:
    """Why this file is not taken in yet; a refused one is done."""
    for event in env.ledger.events("file", dataset):
        if event.payload["name"] == name:
            if event.payload["verdict"] != "accepted":
                return None
            if env.ledger.find("dataset_version", dataset, event.key):
                return None
            judged = env.ledger.find("validation", dataset, event.key)
            if judged is not None and not judged.payload["passed"]:
                return None
            return f"{name} to be published" if judged else f"{name} to be validated"
    return f"{name} to be taken in"


def _model(env: Environment, model: str) -> Iterator[str]:
    ledger = env.ledger
    if champion.current(ledger, model) is None:
        if not refused(env, model):
            yield f"{model} has no champion"
        return
    published = to_score(env, model)
    for kind, word in (
        ("scoring", "scored"),
        ("observation", "observed"),
        ("retrain_decision", "decided about"),
    ):
        missing = published - {event.key for event in ledger.events(kind, model)}
        if missing:
            yield f"{model}: {len(missing)} file(s) to be {word}"
    asked = {event.key for event in ledger.events("retrain_request", model)}
    if asked - {event.key for event in ledger.events("retrain_closed", model)}:
        yield f"{model} to be retrained"
    yield from _unjudged(env, model)


def to_score(env: Environment, model: str) -> set[str]:
    """Hashes of the published files that came after what the first champion was trained on."""
    ledger, spec = env.ledger, env.project.model(model)
    dataset = spec.scored_on
    crowned = champion.history(ledger, model)[0].version
    trained = [e.payload for e in ledger.events("training", model)]
    first = next(record for record in trained if record["version"] == crowned)
    seen = first["features"]["versions"].get(dataset, -1)
    files = ledger.events("dataset_version", dataset)
    return {event.key for event in files if event.payload["version"] > seen}


def refused(env: Environment, model: str) -> bool:
    """Whether the newest candidate saw the newest data and the gate said no: only news helps."""
    dataset = env.project.model(model).data.from_
    trained = env.ledger.latest("training", model)
    published = env.ledger.latest("dataset_version", dataset)
    judged = env.ledger.latest("gate", model)
    return bool(
        trained
        and published
        and judged
        and judged.payload["version"] == trained.payload["version"]
        and judged.payload["verdict"] != "PROMOTE"
        and trained.payload["features"]["versions"].get(dataset) == published.payload["version"]
    )


def _unjudged(env: Environment, model: str) -> Iterator[str]:
    judged = {event.payload["version"] for event in env.ledger.events("gate", model)}
    for event in env.ledger.events("training", model):
        if event.payload["version"] not in judged:
            yield f"{model} v{event.payload['version']} to be judged"


def _time(entry: dict[str, Any], key: str) -> datetime | None:
    return datetime.fromisoformat(entry[key]) if entry.get(key) else None
