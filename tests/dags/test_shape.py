"""Exact ids, tasks and wake-ups of the DAGs made from the real config folder."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from airflow.sdk import DAG, Asset
from airflow.sdk.definitions.asset import AssetBooleanCondition

from trimtab.config import yaml_text
from trimtab_airflow.factory import datasets, features, models, operations

DATASETS = ("airports", "flights", "planes", "weather")
MODELS = ("air_time", "flight_delay")
OPERATIONS = {"trimtab.rollback", "trimtab.revert", "trimtab.retention", "trimtab.reconcile"}


@pytest.fixture(scope="module")
def dags() -> dict[str, DAG]:
    config = Path(__file__).parent.parent.parent / "config"
    built = [*datasets(config=config), *models(config=config), *operations(config=config)]
    return {dag.dag_id: dag for dag in built}


def graph(dag: DAG) -> dict[str, set[str]]:
    return {task.task_id: set(task.downstream_task_ids) for task in dag.tasks}


def heard(dag: DAG) -> list[Asset]:
    """Assets a DAG is woken by."""
    found: list[Asset] = []
    stack: list[Any] = [getattr(dag.timetable, "asset_condition", None)]
    while stack:
        item = stack.pop()
        if isinstance(item, AssetBooleanCondition):
            stack.extend(item.objects)
        elif isinstance(item, Asset):
            found.append(item)
    return found


def test_ids_are_exactly_those_of_the_files(dags: dict[str, DAG]) -> None:
    ingest = {f"{name}.ingest" for name in DATASETS}
    families = {f"{name}.{kind}" for name in MODELS for kind in ("train", "score", "monitor")}
    assert set(dags) == ingest | families | OPERATIONS


def test_a_form_with_nothing_to_choose_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "sales.yaml").touch()
    ids = {dag.dag_id for dag in operations(config=tmp_path)}
    assert ids == {"trimtab.revert", "trimtab.retention"}


def test_every_dag_can_be_serialised(dags: dict[str, DAG]) -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    for dag in dags.values():
        DagSerialization.to_dict(dag)


def test_graph_of_each_kind(dags: dict[str, DAG]) -> None:
    assert graph(dags["flights.ingest"]) == {
        "discover": {"ingest"},
        "ingest": {"validate", "complete"},
        "validate": {"publish"},
        "publish": set(),
        "complete": set(),
    }
    assert graph(dags["flight_delay.train"]) == {
        "features": {"train"},
        "train": {"evaluate"},
        "evaluate": {"approve"},
        "approve": {"promote"},
        "promote": {"staleness"},
        "staleness": set(),
    }
    assert graph(dags["flight_delay.score"]) == {"score": set()}
    assert graph(dags["flight_delay.monitor"]) == {"monitor": {"act"}, "act": set()}
    assert graph(dags["trimtab.rollback"]) == {"rollback": set()}
    assert graph(dags["trimtab.revert"]) == {"revert": set()}
    assert graph(dags["trimtab.retention"]) == {"retention": set()}
    assert graph(dags["trimtab.reconcile"]) == {"reconcile": set()}


def changed(tmp_path: Path, **keys: Any) -> DAG:
    """The train DAG of flight_delay with other values of some keys."""
    config = Path(__file__).parent.parent.parent / "config"
    shutil.copytree(config, tmp_path / "config")
    file = tmp_path / "config" / "models" / "flight_delay.yaml"
    values = {**yaml_text.read(file).values, **keys}
    file.write_text(yaml.safe_dump(values, sort_keys=False))
    (dag,) = models(only="flight_delay.train", config=tmp_path / "config")
    return dag


@pytest.fixture
def parallel(tmp_path: Path) -> DAG:
    """The train DAG of a model whose search three workers share."""
    return changed(tmp_path, train={"min_rows": 40000, "tune": {"parallel": 3}})


def test_four_eyes_are_two_tasks_one_after_the_other(tmp_path: Path) -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    dag = changed(tmp_path, approve={"mode": "four_eyes", "users": ["ana", "ben", "carl"]})
    shape = graph(dag)
    assert shape["evaluate"] == {"approve"}
    assert shape["approve"] == {"approve_second"}
    assert shape["approve_second"] == {"promote"}
    assert [dag.get_task(name).second for name in ("approve", "approve_second")] == [False, True]
    DagSerialization.to_dict(dag)


def test_a_shared_search_is_mapped_over_its_workers(parallel: DAG) -> None:
    assert graph(parallel) == {
        "features": {"search", "train"},
        "search": {"train"},
        "train": {"evaluate"},
        "evaluate": {"approve"},
        "approve": {"promote"},
        "promote": {"staleness"},
        "staleness": set(),
    }
    search = parallel.get_task("search")
    assert search.expand_input.value == {"worker": [1, 2, 3]}
    assert search.unmap({"worker": 2}).worker == 2
    assert search.map_index_template == "{{ worker_and_share }}"


def test_a_worker_that_failed_keeps_nobody_from_training(
    parallel: DAG, dags: dict[str, DAG]
) -> None:
    assert parallel.get_task("train").trigger_rule == "all_done_min_one_success"
    assert dags["flight_delay.train"].get_task("train").trigger_rule == "all_success"


def test_a_shared_search_can_be_serialised_and_keeps_its_form(parallel: DAG) -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    DagSerialization.to_dict(parallel)
    assert set(parallel.params) == {"force", "reason"}


def test_one_failed_file_does_not_hold_up_the_others(dags: dict[str, DAG]) -> None:
    assert dags["flights.ingest"].get_task("validate").trigger_rule == "all_done"
    assert dags["flight_delay.monitor"].get_task("act").trigger_rule == "none_failed"


def test_who_wakes_whom(dags: dict[str, DAG]) -> None:
    names = {dag_id: {asset.name for asset in heard(dag)} for dag_id, dag in dags.items()}
    sources = {f"dataset.{name}" for name in DATASETS}
    assert names["flights.ingest"] == {"landing.flights"}
    assert names["flight_delay.train"] == sources | {"retrain.flight_delay"}
    assert names["flight_delay.score"] == sources | {"model.flight_delay"}
    assert names["flight_delay.monitor"] == {"predictions.flight_delay"}


def test_every_asset_waited_for_is_made_by_a_task_or_a_watcher(dags: dict[str, DAG]) -> None:
    made = {outlet.name for dag in dags.values() for task in dag.tasks for outlet in task.outlets}
    waited = [asset for dag in dags.values() for asset in heard(dag)]
    assert waited
    asked = {name.replace("asked.", "retrain.", 1) for name in made}  # rung through an alias
    orphans = {asset.name for asset in waited if not asset.watchers} - made - asked
    assert orphans == set()


def test_a_watched_asset_is_declared_once(dags: dict[str, DAG]) -> None:
    watched = [asset.name for dag in dags.values() for asset in heard(dag) if asset.watchers]
    outlets = {
        outlet.name for dag in dags.values() for task in dag.tasks for outlet in task.outlets
    }
    assert sorted(watched) == [f"landing.{name}" for name in DATASETS]
    assert outlets.isdisjoint(watched)


def test_beside_every_asset_schedule_stands_a_cron(dags: dict[str, DAG]) -> None:
    for dag in dags.values():
        if dag.dag_id not in OPERATIONS:
            assert heard(dag), dag.dag_id
            assert dag.timetable.timetable.expression, dag.dag_id


def test_every_dag_keeps_the_rules_of_the_house(dags: dict[str, DAG]) -> None:
    for dag in dags.values():
        assert dag.doc_md, dag.dag_id
        assert "trimtab" in dag.tags, dag.dag_id
        assert not dag.catchup
        assert dag.max_active_runs == 1
        for task in dag.tasks:
            where = f"{dag.dag_id}: {task.task_id}"
            assert task.owner not in ("airflow", ""), where
            assert task.retries, where
            assert task.retry_policy is not None, where
            assert task.execution_timeout is not None, where
            assert task.on_failure_callback, where


def test_doc_shows_purpose_and_file(dags: dict[str, DAG]) -> None:
    doc = dags["flight_delay.train"].doc_md or ""
    assert "Warn a traveller" in doc
    assert "ops-analytics" in doc
    assert "target: {column: arr_delay" in doc


def test_forms_refuse_what_they_must(dags: dict[str, DAG]) -> None:
    form = dags["trimtab.rollback"].params
    assert form.get_param("model").schema["enum"] == list(MODELS)
    with pytest.raises(Exception, match="not one of"):
        form.get_param("model").resolve("nobody")
    with pytest.raises(Exception, match="too short"):
        form.get_param("reason").resolve("why")
    assert form.get_param("version").resolve(None) is None
    assert form.get_param("moment").resolve("2026-03-03T12:00:00Z")
    with pytest.raises(Exception, match="date-time"):
        form.get_param("moment").resolve("last week")
    assert form.get_param("override_freeze").resolve() is False
    assert dags["trimtab.retention"].params.get_param("apply").resolve() is False
    with pytest.raises(Exception, match="minimum"):
        form.get_param("version").resolve(0)


def test_a_mapped_task_can_be_made_from_what_discover_returns(dags: dict[str, DAG]) -> None:
    mapped = dags["flights.ingest"].get_task("ingest")
    file = {"dataset": "flights", "name": "a.csv", "uri": "/a.csv", "size": 1, "mtime_ns": 1}
    operator = mapped.unmap({"file": file})  # Airflow does this in the task, where it hurts
    assert operator.file == file
    assert operator.map_index_template


@pytest.fixture
def config(root: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    shutil.copytree(root / "config", folder)
    return folder


def test_a_view_is_put_online_when_its_dataset_has_news(config: Path) -> None:
    (folder := config / "features").mkdir(exist_ok=True)
    (folder / "weather_now.yaml").write_text(
        "view: weather_now\nowner: ops\nfrom: weather\nentity: [origin]\nonline: true\n"
    )
    (folder / "offline.yaml").write_text(
        "view: offline\nowner: ops\nfrom: weather\nentity: [origin]\n"
    )
    (folder / "broken.yaml").write_text("view: broken\nonline: true\n")
    mine = {"weather_now.materialize", "offline.materialize", "broken.materialize"}
    built = {dag.dag_id: dag for dag in features(config=config) if dag.dag_id in mine}
    assert set(built) == {"weather_now.materialize"}
    dag = built["weather_now.materialize"]
    assert graph(dag) == {"materialize": set()}
    assert [asset.name for asset in heard(dag)] == ["dataset.weather"]
    assert dag.timetable.timetable.expression == "0 0 * * *"
    assert "weather_now" in (dag.doc_md or "")
    (one,) = features(config=config, only="weather_now.materialize")
    assert one.dag_id == "weather_now.materialize"
    assert features(config=config, only="weather.ingest") == []
