"""A throw-away Airflow home, set before anything imports Airflow."""

import os
import tempfile
from pathlib import Path

# The same home as tests/dags when both run in one process: Airflow reads it once.
if not Path(os.environ.get("AIRFLOW_HOME", "")).name.startswith("trimtab-airflow-"):
    os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="trimtab-airflow-")
    os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
