"""Config files become DAGs. The DAG processor builds them all, a task builds only its own."""

from trimtab_airflow.factory.datasets import datasets
from trimtab_airflow.factory.features import features
from trimtab_airflow.factory.models import models
from trimtab_airflow.factory.operations import operations
from trimtab_airflow.factory.problems import raise_problems

__all__ = ["datasets", "features", "models", "operations", "raise_problems"]
