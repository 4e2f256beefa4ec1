"""`<dataset>.ingest`: discover, ingest each file by itself, validate, publish."""

import logging
from pathlib import Path

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, TriggerRule

from trimtab.config import DatasetSpec
from trimtab.config.loader import load_dataset
from trimtab.errors import ConfigError
from trimtab.paths import default_config
from trimtab_airflow import assets
from trimtab_airflow.factory.documentation import dataset_page
from trimtab_airflow.factory.family import new_dag, schedule
from trimtab_airflow.operators.discover import DiscoverOperator
from trimtab_airflow.operators.ingest import IngestOperator
from trimtab_airflow.operators.publish import PublishOperator
from trimtab_airflow.operators.validate import ValidateOperator

log = logging.getLogger(__name__)


def datasets(*, only: str | None = None, config: Path | None = None) -> list[DAG]:
    """Build the DAG of every usable dataset file, or the one with this id.

    A file that cannot be used is left out here and reported by ``dags/config_errors.py``: an
    import error would take the other DAGs of the same file down with it.
    """
    folder = (config or default_config()) / "datasets"
    if only is not None:
        name, _, kind = only.rpartition(".")
        file = folder / f"{name}.yaml"
        return [ingest_dag(load_dataset(file), file)] if kind == "ingest" else []
    return [dag for file in sorted(folder.glob("*.yaml")) if (dag := _built(file)) is not None]


def _built(file: Path) -> DAG | None:
    try:
        return ingest_dag(load_dataset(file), file)
    except (ConfigError, ValueError) as error:
        log.warning("%s is left out: %s", file, error)
        return None


def ingest_dag(spec: DatasetSpec, file: Path) -> DAG:
    """Build the DAG that takes a dataset's files from its landing folder into its table.

    Raises:
        ValueError: Airflow cannot use a value, such as the cron of ``sweep``.
    """
    with new_dag(
        f"{spec.dataset}.ingest",
        owner=spec.owner,
        tags=("dataset", spec.dataset, *spec.tags),
        doc=dataset_page(spec, file),
        display=f"{spec.dataset}: landing files to a table with versions",
        schedule=schedule(spec.sweep, assets.landing(spec)),
    ) as dag:
        name = spec.dataset
        discover = DiscoverOperator(task_id="discover", dataset=name)
        ingest = IngestOperator.partial(
            task_id="ingest", map_index_template="{{ file_and_verdict }}"
        ).expand(file=discover.output)
        # One file that fails must not hold up the others, nor what earlier runs left.
        validate = ValidateOperator(
            task_id="validate", dataset=name, trigger_rule=TriggerRule.ALL_DONE
        )
        publish = PublishOperator(task_id="publish", dataset=name, outlets=[assets.dataset(name)])
        # No worker runs it. It makes the run red when a file failed, though the others went on.
        complete = EmptyOperator(task_id="complete")
        ingest >> validate >> publish
        ingest >> complete
    return dag
