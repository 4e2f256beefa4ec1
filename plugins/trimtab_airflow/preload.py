"""Imported once by the process that task processes are forked from: 13.7 s -> 0.3 s per task.

Libraries and Airflow's own modules only. Neither our code nor the user's: what is imported here
stays as it was until the scheduler or the worker starts again, and an edit must be live in the
next task. Importing is all it may do: forks would inherit threads, connections and work broken.
"""

import gc
import importlib
import logging
import sys
import warnings
from types import ModuleType
from typing import cast

log = logging.getLogger(__name__)

# What a task imports before its first line, and what the supervisor beside it needs.
_AIRFLOW = (
    "airflow.sdk",
    "airflow.sdk.execution_time.supervisor",
    "airflow.sdk.execution_time.task_runner",
    "airflow.sdk.execution_time.callback_runner",
    "airflow.sdk.execution_time.request_handlers",
    "airflow.sdk.execution_time.secrets.execution_api",
    "airflow.sdk.definitions.retry_policy",
    "airflow.sdk.plugins_manager",
    "airflow.sdk.providers_manager_runtime",
    "airflow.sdk.serde.serializers",
    "airflow.sdk.log",
    "airflow.dag_processing.dagbag",
    "airflow.dag_processing.bundles.manager",
    "airflow.dag_processing.bundles.local",
    "airflow.executors.base_executor",
    "airflow.executors.local_executor",
    "airflow.plugins_manager",
    "airflow.triggers.base",
    "airflow.timetables.assets",
    "airflow.timetables.trigger",
    "airflow.providers.standard.operators.hitl",
    "airflow.providers.standard.triggers.external_task",
    "airflow.serialization.serialized_objects",
    "structlog.dev",
)
# What stages import. MLflow straight on a database: its stores take 2 s on first use.
_LIBRARIES = (
    "pydantic",
    "yaml",
    "jinja2",
    "sqlalchemy",
    "sqlalchemy.dialects.postgresql",
    "psycopg2",
    "numpy",
    "pandas",
    "pyarrow",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "polars",
    "deltalake",
    "sklearn.compose",
    "sklearn.dummy",
    "sklearn.ensemble",
    "sklearn.impute",
    "sklearn.linear_model",
    "sklearn.metrics",
    "sklearn.model_selection",
    "sklearn.pipeline",
    "sklearn.preprocessing",
    "scipy.stats",
    "optuna",
    "skops.io",
    "matplotlib",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "mlflow",
    "mlflow.sklearn",
    "mlflow.models",
    "mlflow.store.tracking.sqlalchemy_store",
    "mlflow.store.model_registry.sqlalchemy_store",
    "great_expectations",
    "great_expectations.render.renderer",
    "evidently",
    "evidently.metrics",
    "evidently.presets",
)


def preload(names: tuple[str, ...]) -> None:
    """Import what is there; a library that is missing costs its own stage time, nothing else."""
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:  # an error here would keep the scheduler from starting
            log.warning("not preloaded: %s: %s", name, error)


logging.getLogger("great_expectations").setLevel(logging.WARNING)  # tells 40 lines at import
with warnings.catch_warnings():
    # skops asks every module that is there for every name of scipy, Airflow's deprecated ones too:
    # thousands of warnings. So Airflow comes last, and where it was first, they are not shown.
    warnings.simplefilter("ignore")
    # PySpark, which Great Expectations imports where it is installed, ends a process like this one
    # (see trimtab.adapters.gx.load); None is how Python says that there is no such module.
    sys.modules["pyspark"] = cast("ModuleType", None)
    preload(_LIBRARIES)
    del sys.modules["pyspark"]
    preload(_AIRFLOW)
# Everything so far goes to a generation that is never collected, so that forks keep sharing it:
# 278 -> 112 MB of own memory per idle worker.
gc.collect()
gc.freeze()
