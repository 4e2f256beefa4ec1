"""Connections as Airflow knows them."""

import pytest
from airflow.sdk import Connection as AirflowConnection
from airflow.sdk.exceptions import AirflowNotFoundException

from trimtab.adapters.connections import UnknownConnectionError
from trimtab_airflow.connections import airflow_connection


def test_airflows_own_is_taken_over_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    known = AirflowConnection(
        conn_id="shop",
        conn_type="postgres",
        host="db",
        login="me",
        password="PLANTED",
        schema="sales",
        port=5433,
        extra='{"sslmode": "require"}',
    )
    monkeypatch.setattr(AirflowConnection, "get", lambda name: known)
    found = airflow_connection("shop")
    assert (found.kind, found.host, found.port, found.schema) == ("postgres", "db", 5433, "sales")
    assert (found.login, found.password, found.extra) == ("me", "PLANTED", {"sslmode": "require"})
    assert "PLANTED" not in repr(found)


def test_one_nobody_knows_says_where_to_put_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def get(name: str) -> AirflowConnection:
        raise AirflowNotFoundException(name)

    monkeypatch.setattr(AirflowConnection, "get", get)
    with pytest.raises(UnknownConnectionError, match="add it in Airflow"):
        airflow_connection("shop")
