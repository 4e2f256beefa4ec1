"""trimtab inside Apache Airflow: operators, triggers, assets and the DAG factory."""
