"""DAGs for people who keep the models running."""

from pathlib import Path

from airflow.sdk import DAG, CronTriggerTimetable

from trimtab.paths import default_config
from trimtab_airflow.factory.family import new_dag
from trimtab_airflow.factory.params import retention_form, revert_form, rollback_form
from trimtab_airflow.operators.reconcile import ReconcileOperator
from trimtab_airflow.operators.retention import RetentionOperator
from trimtab_airflow.operators.revert import RevertOperator
from trimtab_airflow.operators.rollback import RollbackOperator

_ROLLBACK = """\
### Roll a model back
Put an earlier version back to serve, at once. Choose the model; leave version and moment empty for
the last approved version that is not blocked. The version that served is blocked: it does not come
back by itself. The reason and your name go into the ledger.
"""
_REVERT = """\
### Revert a dataset
Give a dataset the content of an earlier version again, as a new version (`trimtab data log` lists
them). Files whose rows leave do not come back by themselves. The reason and your name go into the
ledger.
"""
_RETENTION = """\
### Remove what nobody needs
List the files that no kept version of a dataset needs, and remove them when the box is ticked. A
version a model was trained on is never removed. Every removal is in the ledger.
"""
_RECONCILE = """\
### Bring MLflow in line with the ledger
What MLflow missed while it did not answer is told now, in the order it was decided; runs and models
that a crash left open are closed; aliases and tags that somebody changed by hand are put back, and
the ledger keeps each as a foreign change. Nothing to do, nothing done.
"""


def operations(*, only: str | None = None, config: Path | None = None) -> list[DAG]:
    """Build the DAGs that belong to no single file, or the one with this id.

    A form that would have nothing to choose from is left out.
    """
    folder = config or default_config()
    built = {
        "trimtab.rollback": (rollback_dag, "models"),
        "trimtab.revert": (revert_dag, "datasets"),
        "trimtab.retention": (retention_dag, "datasets"),
        "trimtab.reconcile": (reconcile_dag, "models"),
    }
    return [
        build(folder)
        for name, (build, kind) in built.items()
        if only in (None, name) and _names(folder, kind)
    ]


def rollback_dag(folder: Path) -> DAG:
    """Build the form by which a person rolls a model back."""
    with new_dag(
        "trimtab.rollback",
        owner="trimtab",
        tags=("operations",),
        doc=_ROLLBACK,
        display="put an earlier version of a model back to serve",
        schedule=None,
        params=rollback_form(_names(folder, "models")),
    ) as dag:
        RollbackOperator(
            task_id="rollback",
            model="{{ params.model }}",
            version="{{ params.version or '' }}",
            moment="{{ params.moment or '' }}",
            reason="{{ params.reason }}",
            override_freeze="{{ params.override_freeze }}",
        )
    return dag


def revert_dag(folder: Path) -> DAG:
    """Build the form by which a person reverts a dataset."""
    with new_dag(
        "trimtab.revert",
        owner="trimtab",
        tags=("operations",),
        doc=_REVERT,
        display="give a dataset the content of an earlier version again",
        schedule=None,
        params=revert_form(_names(folder, "datasets")),
    ) as dag:
        RevertOperator(
            task_id="revert",
            dataset="{{ params.dataset }}",
            version="{{ params.version }}",
            reason="{{ params.reason }}",
        )
    return dag


def retention_dag(folder: Path) -> DAG:
    """Build the form by which a person removes what no kept version needs."""
    with new_dag(
        "trimtab.retention",
        owner="trimtab",
        tags=("operations",),
        doc=_RETENTION,
        display="remove files that no kept version of a dataset needs",
        schedule=None,
        params=retention_form(_names(folder, "datasets")),
    ) as dag:
        RetentionOperator(
            task_id="retention",
            dataset="{{ params.dataset or '' }}",
            apply="{{ params.apply }}",
            keep="{{ params.keep }}",
        )
    return dag


def reconcile_dag(_folder: Path) -> DAG:
    """Build the hourly look at what MLflow has missed, and what others did to it."""
    with new_dag(
        "trimtab.reconcile",
        owner="trimtab",
        tags=("operations",),
        doc=_RECONCILE,
        display="make MLflow show what the ledger says",
        schedule=CronTriggerTimetable("17 * * * *", timezone="UTC"),
    ) as dag:
        ReconcileOperator(task_id="reconcile")
    return dag


def _names(folder: Path, kind: str) -> list[str]:
    return sorted(file.stem for file in (folder / kind).glob("*.yaml"))
