"""DAGs for people who keep the models running."""

from pathlib import Path

from airflow.sdk import DAG

from trimtab.paths import default_config
from trimtab_airflow.factory.family import new_dag
from trimtab_airflow.factory.params import rollback_form
from trimtab_airflow.operators.rollback import RollbackOperator

_ROLLBACK = """\
### Roll a model back
Put an earlier version back to serve, at once. Choose the model; leave the version empty for the
champion before the present one. The reason and your name go into the ledger.
"""


def operations(*, only: str | None = None, config: Path | None = None) -> list[DAG]:
    """Build the DAGs that belong to no single file."""
    folder = config or default_config()
    return [rollback_dag(folder)] if only in (None, "trimtab.rollback") else []


def rollback_dag(folder: Path) -> DAG:
    """Build the form by which a person rolls a model back."""
    names = sorted(file.stem for file in (folder / "models").glob("*.yaml"))
    with new_dag(
        "trimtab.rollback",
        owner="trimtab",
        tags=("operations",),
        doc=_ROLLBACK,
        display="put an earlier version of a model back to serve",
        schedule=None,
        params=rollback_form(names),
    ) as dag:
        RollbackOperator(
            task_id="rollback",
            model="{{ params.model }}",
            version="{{ params.version or '' }}",
            reason="{{ params.reason }}",
        )
    return dag
