"""One Airflow DAG per dataset file in config/datasets: landing files to a table with versions."""

from airflow.sdk import get_parsing_context

from trimtab_airflow.factory import datasets

for dag in datasets(only=get_parsing_context().dag_id):
    globals()[dag.dag_id] = dag
