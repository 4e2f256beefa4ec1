"""`<model>.train`, `<model>.score` and `<model>.monitor`: one family of DAGs per model file."""

import functools
import logging
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

from airflow.sdk import DAG, Asset, TriggerRule, chain

from trimtab.config import ModelSpec
from trimtab.config.loader import load_model, load_view
from trimtab.config.view import FeatureView
from trimtab.paths import default_config
from trimtab_airflow import assets
from trimtab_airflow.factory.documentation import model_page
from trimtab_airflow.factory.family import new_dag, schedule
from trimtab_airflow.factory.params import train_form
from trimtab_airflow.factory.project import read_project
from trimtab_airflow.operators.act import ActOperator
from trimtab_airflow.operators.approve import ApproveOperator, ManualApproveOperator
from trimtab_airflow.operators.evaluate import EvaluateOperator
from trimtab_airflow.operators.features import FeaturesOperator
from trimtab_airflow.operators.monitor import MonitorOperator
from trimtab_airflow.operators.promote import PromoteOperator
from trimtab_airflow.operators.score import ScoreOperator
from trimtab_airflow.operators.search import SearchOperator
from trimtab_airflow.operators.staleness import StalenessOperator
from trimtab_airflow.operators.train import TrainOperator

log = logging.getLogger(__name__)
Views = Mapping[str, FeatureView]
Build = Callable[[ModelSpec, Path, Views], DAG]
_FEATURES = "{{ ti.xcom_pull(task_ids='features')['key'] }}"
_VERSION = "{{ ti.xcom_pull(task_ids='%s')['version'] }}"


def models(
    *, only: str | None = None, shard: tuple[int, int] = (0, 1), config: Path | None = None
) -> list[DAG]:
    """Build the DAGs of every usable model file, or the one with this id.

    Args:
        only: the DAG a task belongs to. It reads that model's file, those of its views, no other.
        shard: which part of how many; a fleet past 1,000 models takes several DAG files.
        config: the config folder.
    """
    folder = config or default_config()
    if only is not None:
        return _one(folder, only)
    project = read_project(folder)
    found = [spec for name, spec in project.models.items() if _mine(name, shard)]
    return [dag for spec in found for dag in _family(spec, folder, project.views)]


def _one(folder: Path, dag_id: str) -> list[DAG]:
    name, _, kind = dag_id.rpartition(".")
    if kind not in _KINDS:
        return []
    file = _file(folder, name)
    spec = load_model(file)
    used = [load_view(folder / "features" / f"{use.view}.yaml") for use in spec.data.views]
    return [_KINDS[kind](spec, file, {view.view: view for view in used})]


def _family(spec: ModelSpec, folder: Path, views: Views) -> list[DAG]:
    try:
        return [build(spec, _file(folder, spec.model), views) for build in _KINDS.values()]
    except ValueError as error:  # reported, with all others, by dags/config_errors.py
        log.warning("the model %s is left out: %s", spec.model, error)
        return []


def _file(folder: Path, model: str) -> Path:
    return folder / "models" / f"{model}.yaml"


def _mine(model: str, shard: tuple[int, int]) -> bool:
    part, of = shard
    return zlib.crc32(model.encode()) % of == part


def train_dag(spec: ModelSpec, file: Path, views: Views) -> DAG:
    """Build the DAG from a cause to a champion."""
    name = spec.model
    wakes = [*_sources(spec, views), assets.retrain(name)]
    with _dag(spec, file, "train")(
        schedule=schedule("@daily", *wakes), params=train_form(), task_hours=12
    ) as dag:
        features = FeaturesOperator(
            task_id="features",
            model=name,
            force="{{ params.force }}",
            reason="{{ params.reason }}",
        )
        train = _train(spec, features)
        evaluate = EvaluateOperator(task_id="evaluate", model=name, version=_VERSION % "train")
        approve = _approve(spec)
        promote = PromoteOperator(
            task_id="promote",
            model=name,
            version=_VERSION % "evaluate",
            outlets=[assets.model(name)],
        )
        staleness = StalenessOperator(task_id="staleness", model=name, version=_VERSION % "promote")
        chain(train, evaluate, *approve, promote, staleness)
    return dag


def _train(spec: ModelSpec, features: FeaturesOperator) -> TrainOperator:
    """One task, or as many that search together before it: ``train.tune.parallel``.

    A worker that failed keeps nobody from training: the search is finished there.
    """
    workers = spec.train.tune.parallel
    rule = TriggerRule.ALL_DONE_MIN_ONE_SUCCESS if workers > 1 else TriggerRule.ALL_SUCCESS
    arguments = {"model": spec.model, "features_key": _FEATURES}
    train = TrainOperator(task_id="train", trigger_rule=rule, **arguments)
    features >> train
    if workers > 1:
        search = SearchOperator.partial(
            task_id="search", map_index_template="{{ worker_and_share }}", **arguments
        ).expand(worker=list(range(1, workers + 1)))
        features >> search >> train
    return train


def _sources(spec: ModelSpec, views: Views) -> list[Asset]:
    """The datasets whose news may concern the model."""
    joined = [join.dataset for join in spec.data.join]
    joined += [views[use.view].from_ for use in spec.data.views]
    own = [spec.data.from_, *([spec.score.on] if spec.score.on else [])]
    return [assets.dataset(name) for name in dict.fromkeys([*own, *joined])]


def _approve(spec: ModelSpec) -> list[ApproveOperator | ManualApproveOperator]:
    """One task that decides or asks; of four eyes one for each person, one after the other."""
    model, version = spec.model, _VERSION % "evaluate"
    if spec.approve.mode == "auto":
        return [ApproveOperator(task_id="approve", model=model, version=version)]
    first = ManualApproveOperator(task_id="approve", model=model, version=version)
    if spec.approve.mode == "manual":
        return [first]
    second = ManualApproveOperator(
        task_id="approve_second", model=model, version=version, second=True
    )
    return [first, second]


def score_dag(spec: ModelSpec, file: Path, views: Views) -> DAG:
    """Build the DAG that scores what is new."""
    name = spec.model
    # Joined and viewed datasets too: rows wait for the weather, and the weather may come last.
    wakes = [*_sources(spec, views), assets.model(name)]
    with _dag(spec, file, "score")(schedule=schedule(spec.score.schedule, *wakes)) as dag:
        ScoreOperator(task_id="score", model=name, outlets=[assets.predictions(name)])
    return dag


def monitor_dag(spec: ModelSpec, file: Path, views: Views) -> DAG:
    """Build the DAG that watches what was scored and asks for a training."""
    name = spec.model
    labels = [assets.dataset(spec.monitor.labels.dataset)] if spec.monitor.labels else []
    wakes = schedule(spec.monitor.schedule, assets.predictions(name), *labels)
    with _dag(spec, file, "monitor")(schedule=wakes) as dag:
        monitor = MonitorOperator(task_id="monitor", model=name)
        # Also after a skip: a run that was killed in between may have left a triage to act on.
        act = ActOperator(task_id="act", model=name, trigger_rule=TriggerRule.NONE_FAILED)
        monitor >> act
    return dag


def _dag(spec: ModelSpec, file: Path, kind: str) -> Callable[..., DAG]:
    does = _DOES[kind]
    return functools.partial(
        new_dag,
        f"{spec.model}.{kind}",
        owner=spec.owner,
        tags=("model", spec.model, kind, *spec.tags),
        doc=model_page(spec, file, does),
        display=f"{spec.model}: {does}",
    )


_DOES = {
    "train": "trains a candidate when there is a cause, judges it and promotes it",
    "score": "scores every published file that has no predictions yet",
    "monitor": "watches what was scored and asks for a training when it must",
}
_KINDS: dict[str, Build] = {"train": train_dag, "score": score_dag, "monitor": monitor_dag}
