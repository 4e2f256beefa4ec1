"""trimtab: a model's whole life from one short YAML file. Knows nothing of Airflow."""

__version__ = "0.1.0"
