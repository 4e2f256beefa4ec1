"""One Airflow DAG per feature view that is kept online: its newest rows, when there is news."""

from airflow.sdk import get_parsing_context

from trimtab_airflow.factory import features

for dag in features(only=get_parsing_context().dag_id):
    globals()[dag.dag_id] = dag
