"""Airflow's settings for every process of the platform: plain data, measured, no Airflow import."""

import os

_CORES = os.cpu_count() or 1
_THREADS = str(max(1, _CORES // 4))

# What the libraries inside a task read. Also right for a notebook or a test.
TASK_ENVIRONMENT: dict[str, str] = {
    # Trainings run side by side, and threads beyond the cores spin against each other: boosting
    # 30,000 rows takes 0.9 s with one thread each, 3 to 28 s with two each on two cores. Threads
    # that sleep instead (OMP_WAIT_POLICY=PASSIVE) take 6 s even alone.
    "OMP_NUM_THREADS": _THREADS,
    "OPENBLAS_NUM_THREADS": _THREADS,
    # No library calls home.
    "DO_NOT_TRACK": "true",
    "SCARF_NO_ANALYTICS": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "GX_ANALYTICS_ENABLED": "false",
}

AIRFLOW_SETTINGS: dict[str, str] = {
    **TASK_ENVIRONMENT,
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
    # DAGs come from files that were reviewed; a new model starts to live when its file appears.
    "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
    # Tasks are forked from a process that has imported the libraries: 13.7 s -> 0.3 s per task.
    "AIRFLOW__SCHEDULER__MP_START_METHOD": "forkserver",
    "AIRFLOW__CORE__MP_FORKSERVER_PRELOAD": "trimtab_airflow.preload",
    # Tasks are small and mostly wait for each other; Airflow's own default is 32.
    "AIRFLOW__CORE__PARALLELISM": str(max(4, 2 * _CORES)),
    # The gap between two tasks of a chain: 0.85 s -> 0.2 s, for 3 % of a core.
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.25",
    # A finished task gives its slot back after 1 s at most, not 5: 1.7 -> 6.9 tasks a second. It
    # also narrows the race in which a trigger that fires early fails its deferred task.
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
    # An api-server that is away for two minutes must not kill a training (stock: 31 s).
    "AIRFLOW__WORKERS__MAX_FAILED_HEARTBEATS": "30",
    # A new DAG file is seen within seconds, not five minutes; a changed YAML as well.
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "30",
    "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": "180",
    # A fleet of 1,000 models takes about 25 s in one file on a quiet machine.
    "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "120",
    "AIRFLOW__API__WORKERS": "1",
}
