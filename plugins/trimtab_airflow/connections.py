"""Connections as Airflow knows them: environment, secrets backend, database."""

from typing import Any

from trimtab.adapters.connections import Connection, UnknownConnectionError, from_environment


def airflow_connection(name: str) -> Connection:
    """Return ``TRIMTAB_CONN_<NAME>`` when it is set, else what Airflow has under this name.

    May be called in a task and, from a thread, in the triggerer.

    Raises:
        UnknownConnectionError: neither knows it.
    """
    try:
        return from_environment(name)
    except UnknownConnectionError as unknown:
        return _asked(name, unknown)


def _asked(name: str, unknown: UnknownConnectionError) -> Connection:
    from airflow.sdk import Connection as AirflowConnection
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        found: Any = AirflowConnection.get(name)
    except AirflowNotFoundException:
        raise unknown from None
    return Connection(
        name=name,
        kind=found.conn_type,
        host=found.host or None,
        port=found.port,
        schema=found.schema or None,
        login=found.login or None,
        password=found.password or None,
        extra=found.extra_dejson,
    )
