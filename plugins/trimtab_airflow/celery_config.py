"""Celery's configuration: Airflow's own, and the preload before the pool's processes are forked.

Switched on by ``[celery] celery_config_options = trimtab_airflow.celery_config.CELERY_CONFIG``.
"""

from typing import Any

from airflow.providers.celery.executors.default_celery import DEFAULT_CELERY_CONFIG

CELERY_CONFIG: dict[str, Any] = {
    **DEFAULT_CELERY_CONFIG,
    "imports": ["trimtab_airflow.preload"],
}
