"""When is a month settled? Read from a ledger that fills event by event."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.conftest import OpenEnv

from trimtab.environment import Environment
from trimtab.errors import DependencyError
from trimtab.ledger import champion
from trimtab.platform.demo import outcome
from trimtab.platform.demo.watch import Airflow, Task, unfinished

FILES = {
    "datasets/sales.yaml": (
        "dataset: sales\nowner: shop\nsource: {kind: files, uri: landing/sales}\nkey: [id]\n"
        "columns: {id: {type: int}, late: {type: bool}}\n"
    ),
    "models/late.yaml": (
        "model: late\npurpose: Tell which parcel is late.\nowner: shop\n"
        "data: {from: sales}\ntarget: {column: late}\n"
    ),
}
DELIVERED = [("sales", "a.csv")]


@pytest.fixture
def env(open_env: OpenEnv) -> Environment:
    return open_env(FILES)


def judged(env: Environment, verdict: str, version: int = 1) -> None:
    env.ledger.append("gate", "late", f"{version}:0", {"version": version, "verdict": verdict})


def published(env: Environment) -> None:
    accepted = {"name": "a.csv", "verdict": "accepted"}
    env.ledger.append("file", "sales", "sha", accepted)
    env.ledger.append("validation", "sales", "sha", {"passed": True, "quarantined": 0})
    env.ledger.append("dataset_version", "sales", "sha", {"version": 0, "rows": 10})


def trained(env: Environment) -> None:
    payload = {"version": 1, "features": {"versions": {"sales": 0}}}
    env.ledger.append("training", "late", "k", payload)


def test_every_step_of_a_file_is_waited_for(env: Environment) -> None:
    seen: list[Any] = [unfinished(env, DELIVERED)]
    published(env)
    seen.append(unfinished(env, DELIVERED))
    trained(env)
    judged(env, "PROMOTE")
    champion.swap(env.ledger, "late", 1, expected=None, action="promote", actor="a", reason="r")
    assert unfinished(env, DELIVERED) == []  # the first champion was trained on it
    newer = {"version": 1, "rows": 10}
    env.ledger.append("dataset_version", "sales", "b", newer)
    for kind in ("scoring", "observation"):
        seen.append(unfinished(env, DELIVERED))
        env.ledger.append(kind, "late", "b", {})
    env.ledger.append("retrain_decision", "late", "b", {})
    assert unfinished(env, DELIVERED) == []
    env.ledger.append("retrain_request", "late", "sha", {})
    seen.append(unfinished(env, DELIVERED))
    env.ledger.append("retrain_closed", "late", "sha", {"version": 2})
    assert unfinished(env, DELIVERED) == []
    assert [one[0] for one in seen] == [
        "a.csv to be taken in",
        "late has no champion",
        "late: 1 file(s) to be scored",
        "late: 1 file(s) to be observed",
        "late to be retrained",
    ]


def test_a_refused_file_is_settled(env: Environment) -> None:
    env.ledger.append("file", "sales", "sha", {"name": "a.csv", "verdict": "rejected"})
    assert unfinished(env, DELIVERED) == ["late has no champion"]


def test_a_first_candidate_that_was_refused_waits_for_news_only(env: Environment) -> None:
    published(env)
    trained(env)
    assert unfinished(env, DELIVERED) == ["late has no champion"]
    judged(env, "REJECT")
    assert unfinished(env, DELIVERED) == []
    env.ledger.append("dataset_version", "sales", "newer", {"version": 1, "rows": 5})
    assert unfinished(env, DELIVERED) == ["late has no champion"]


def test_what_did_not_happen_is_named(env: Environment) -> None:
    published(env)
    wrong = outcome.missing(env, {("sales", "b.csv"): 3}, [])
    assert "b.csv was judged 0 times, not once" in wrong
    assert "late has no champion" in wrong
    assert "no challenger was refused" in wrong
    assert "no month raised a finding" in wrong
    assert "no model has a champion" in wrong


def test_a_model_the_gate_refused_is_an_outcome(env: Environment) -> None:
    published(env)
    trained(env)
    judged(env, "REJECT")
    wrong = outcome.missing(env, {}, [])
    assert "late has no champion" not in wrong
    assert "no model has a champion" in wrong


def test_lost_rows_are_named(env: Environment) -> None:
    verdict = {"dataset": "sales", "name": "a.csv", "sha256": "sha", "verdict": "accepted"}
    counts = {"rows_read": 10, "rows_accepted": 9, "quarantined": {"bad": 1}}
    env.ledger.append("file", "sales", "sha", {**verdict, **counts})
    env.ledger.append("validation", "sales", "sha", {"passed": True, "quarantined": 0})
    env.ledger.append("dataset_version", "sales", "sha", {"version": 0, "rows": 8})
    wrong = outcome.missing(env, {("sales", "a.csv"): 10}, [])
    assert "a.csv: 8 published + 1 in quarantine are not 10" in wrong


def test_overlapping_tasks_count_once_as_work() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)

    def task(begin: int, end: int) -> Task:
        return Task(
            "d", "t", "success", start + timedelta(seconds=begin), start + timedelta(seconds=end)
        )

    spent = outcome.orchestration([task(0, 10), task(5, 12), task(20, 25), task(6, 7)], 40.0)
    assert spent == {
        "tasks": 4,
        "task_seconds": 23.0,
        "work_seconds": 17.0,
        "orchestration_seconds": 23.0,
    }


class Pages(Airflow):
    """Airflow's pages without Airflow: what each path answers, or an error."""

    def __init__(self, told: dict[str, str]) -> None:
        super().__init__("http://nowhere")
        self.told = told

    def _get(self, path: str, **query: Any) -> dict[str, Any]:
        if path.endswith("taskInstances"):
            return {"task_instances": [task(*each) for each in RUNNING]}
        key = f"{path.split('/')[1]} {query['map_index']}"
        if key not in self.told:
            raise DependencyError("404")
        assert path.endswith("dagRuns/manual__2026%2F1/taskInstances/search/state-store/progress")
        return {"key": "progress", "value": self.told[key]}


RUNNING = [("m.train", "search", 0), ("m.train", "search", 1), ("m.score", "score", -1)]


def task(dag: str, name: str, index: int) -> dict[str, Any]:
    return {"dag_id": dag, "task_id": name, "dag_run_id": "manual__2026/1", "map_index": index}


def test_a_search_that_runs_tells_its_last_trial() -> None:
    airflow = Pages({"m.train 1": "trial 4/6 boosted_trees roc_auc 0.71 (best 0.72)"})
    assert airflow.running() == [
        "m: trial 4/6 boosted_trees roc_auc 0.71 (best 0.72)",
        "m.score/score",
        "m.train/search",
    ]
