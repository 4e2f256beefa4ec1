"""`<view>.materialize`: the newest row of each entity, online when its dataset has news."""

import logging
from pathlib import Path

from airflow.sdk import DAG

from trimtab.config.loader import load_dataset, load_view
from trimtab.config.view import FeatureView
from trimtab.errors import ConfigError
from trimtab.paths import default_config
from trimtab_airflow import assets
from trimtab_airflow.factory.documentation import view_page
from trimtab_airflow.factory.family import new_dag, schedule
from trimtab_airflow.operators.materialize import MaterializeOperator

log = logging.getLogger(__name__)


def features(*, only: str | None = None, config: Path | None = None) -> list[DAG]:
    """Build the DAG of every usable view that is kept online, or the one with this id.

    A file that cannot be used is left out here and reported by ``dags/config_errors.py``.
    """
    folder = config or default_config()
    if only is not None:
        name, _, kind = only.rpartition(".")
        file = folder / "features" / f"{name}.yaml"
        return [materialize_dag(load_view(file), file)] if kind == "materialize" else []
    files = sorted((folder / "features").glob("*.yaml"))
    return [dag for file in files if (dag := _built(folder, file)) is not None]


def _built(folder: Path, file: Path) -> DAG | None:
    """Read a view and its dataset, and no other file: a project may have a thousand."""
    try:
        view = load_view(file)
        dataset = load_dataset(folder / "datasets" / f"{view.from_}.yaml")
        view = load_view(file, {view.from_: dataset})
        return materialize_dag(view, file) if view.online else None
    except (ConfigError, ValueError) as error:
        log.warning("%s is left out: %s", file, error)
        return None


def materialize_dag(spec: FeatureView, file: Path) -> DAG:
    """Build the DAG that keeps a view online."""
    with new_dag(
        f"{spec.view}.materialize",
        owner=spec.owner,
        tags=("features", spec.view, *spec.tags),
        doc=view_page(spec, file),
        display=f"{spec.view}: puts the newest features of each entity online",
        schedule=schedule("@daily", assets.dataset(spec.from_)),
    ) as dag:
        MaterializeOperator(task_id="materialize", view=spec.view)
    return dag
