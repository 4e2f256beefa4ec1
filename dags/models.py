"""Three Airflow DAGs per model file in config/models: train, score, monitor.

A fleet past 1,000 models is split by copies of this file with ``models(shard=(0, 4), ...)``.
"""

from airflow.sdk import get_parsing_context

from trimtab_airflow.factory import models

for dag in models(only=get_parsing_context().dag_id):
    globals()[dag.dag_id] = dag
