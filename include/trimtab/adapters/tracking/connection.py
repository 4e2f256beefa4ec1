"""A client of one address. What does not answer is given up after seconds, not minutes."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient

_QUIET = {  # before the first import of mlflow
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "GIT_PYTHON_REFRESH": "quiet",
}
_PATIENCE = {"connect_timeout": "5", "tcp_user_timeout": "10000", "keepalives_idle": "10"}


def connect(uri: str) -> "MlflowClient":
    """Return a client; no global state of MLflow is set, and nothing is asked yet."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient
    from mlflow.store.db import utils

    utils.MAX_RETRY_COUNT = min(utils.MAX_RETRY_COUNT, 2)  # ten take 102 s
    patient = _patient(uri)
    return MlflowClient(tracking_uri=patient, registry_uri=patient)


def _patient(uri: str) -> str:
    """Let PostgreSQL's driver give up on a machine that does not answer (libpq's settings)."""
    if not uri.startswith("postgres"):
        return uri
    from sqlalchemy import make_url

    url = make_url(uri)
    settings = {name: value for name, value in _PATIENCE.items() if name not in url.query}
    return url.update_query_dict(settings).render_as_string(hide_password=False)


def shown(uri: str) -> str:
    """Return the address without its password, for messages."""
    scheme, _, rest = uri.partition("://")
    return f"{scheme}://{rest.rsplit('@', 1)[-1]}"
