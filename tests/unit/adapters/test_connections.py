"""Named connections: both forms, where they come from, and that they keep their secret."""

import json
from typing import Any

import pytest

from trimtab.adapters.connections import (
    Connection,
    UnknownConnectionError,
    from_environment,
    parse,
)

SECRET = "PL@NTED/s:cret"
JSON = {
    "conn_type": "aws",
    "login": "KEY",
    "password": SECRET,
    "extra": {"endpoint_url": "http://s3:9000", "aws_session_token": "TOKEN"},
}
URI = "aws://KEY:PL%40NTED%2Fs%3Acret@/?endpoint_url=http%3A%2F%2Fs3%3A9000&aws_session_token=TOKEN"


@pytest.mark.parametrize(
    "text", [json.dumps(JSON), URI, json.dumps({**JSON, "extra": json.dumps(JSON["extra"])})]
)
def test_both_forms_say_the_same(text: str) -> None:
    extra = {"endpoint_url": "http://s3:9000", "aws_session_token": "TOKEN"}
    wanted = Connection(name="s3", kind="aws", login="KEY", password=SECRET, extra=extra)
    assert parse("s3", text) == wanted


def test_every_part_of_an_address() -> None:
    found = parse("db", "postgres://me:pw@host:5433/sales%2F1?sslmode=require")
    assert (found.kind, found.host, found.port, found.schema) == (
        "postgres",
        "host",
        5433,
        "sales/1",
    )
    assert (found.login, found.password, found.extra) == ("me", "pw", {"sslmode": "require"})


def test_our_variable_comes_before_airflows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", "sqlite:///airflow")
    assert from_environment("shop").schema == "airflow"
    monkeypatch.setenv("TRIMTAB_CONN_SHOP", "sqlite:///ours")
    assert from_environment("shop").schema == "ours"


def test_a_missing_one_says_where_to_put_it() -> None:
    with pytest.raises(UnknownConnectionError, match="TRIMTAB_CONN_NOWHERE"):
        from_environment("nowhere")


@pytest.mark.parametrize("text", ["PLANTED", '{"PLANTED', '{"port": "PLANTED"}', "x://h:PLANTED"])
def test_one_that_cannot_be_read_is_not_quoted(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIMTAB_CONN_SHOP", text)
    with pytest.raises(UnknownConnectionError, match="TRIMTAB_CONN_SHOP") as caught:
        from_environment("shop")
    told: list[Any] = [caught.value, caught.value.__cause__, caught.value.__context__]
    assert not any("PLANTED" in repr(error) for error in told)


def test_a_connection_does_not_print_its_secrets() -> None:
    connection = parse("s3", URI)
    assert SECRET not in repr(connection)
    assert "TOKEN" not in repr(connection)
    assert connection.hidden(f"refused {SECRET} and TOKEN") == "refused *** and ***"
