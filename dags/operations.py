"""Airflow DAGs for people who keep the models running: rollback."""

from airflow.sdk import get_parsing_context

from trimtab_airflow.factory import operations

for dag in operations(only=get_parsing_context().dag_id):
    globals()[dag.dag_id] = dag
