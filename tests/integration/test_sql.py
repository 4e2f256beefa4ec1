"""A query on PostgreSQL: incremental, exact, and through a connection whose secret stays secret."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from trimtab.adapters import delta
from trimtab.environment import Environment
from trimtab.errors import TrimtabError
from trimtab.stages.ingest import discover, ingest
from trimtab.stages.publish import publish
from trimtab.stages.validate import validate

YAML = """
dataset: orders
owner: me
source:
  kind: sql
  connection: shop
  query: "select * from orders where note <> ':deleted'"
  watermark: updated_at
key: [id]
time: updated_at
columns:
  id: {type: int}
  price: {type: text}
  note: {type: text, nullable: true}
  updated_at: {type: time}
"""
BIG = 9223372036854775807


@pytest.fixture
def shop(postgres: Any, monkeypatch: pytest.MonkeyPatch, database: str) -> Iterator[Engine]:
    """The database of a shop, and the connection that leads there."""
    url = make_url(database)
    monkeypatch.setenv(
        "TRIMTAB_CONN_SHOP",
        f"postgres://{url.username or 'postgres'}:PLANTED@/{url.database}?host={url.query['host']}",
    )
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(
            text(
                "create table orders (id bigint, price numeric, note text, "
                "updated_at timestamptz, tags jsonb)"
            )
        )
    yield engine
    engine.dispose()


@pytest.fixture
def insert(shop: Engine) -> Callable[[str], None]:
    def inserted(rows: str) -> None:
        with shop.begin() as connection:
            connection.execute(text(f"insert into orders values {rows}".replace(":", r"\:")))

    return inserted


def carry(env: Environment) -> list[str]:
    names = []
    for file in discover(env, "orders"):
        verdict = ingest(env, file)
        assert verdict.verdict == "accepted", verdict
        validate(env, "orders", verdict.sha256)
        publish(env, "orders", [verdict.sha256])
        names.append(file.name)
    return names


def table(env: Environment) -> list[tuple[Any, ...]]:
    wanted = delta.scan(env.table("orders")).select("id", "price", "updated_at")
    return [(i, p, u.isoformat()) for i, p, u in wanted.sort("updated_at").collect().iter_rows()]


def yaml(**changes: str) -> dict[str, str]:
    columns = YAML + "  tags: {type: text, nullable: true}\n"
    for old, new in changes.items():
        columns = columns.replace(old, new)
    return {"datasets/orders.yaml": columns}


def test_each_row_once_and_exactly(
    s3_env: Callable[[dict[str, str]], Environment], insert: Callable[[str], None]
) -> None:
    env = s3_env(yaml())
    assert discover(env, "orders") == []
    insert(f"({BIG}, 0.10, 'x:y 100%', '2025-03-30 02:30:00.000001+02', '{{\"b\": [1]}}')")
    assert len(carry(env)) == 1
    assert table(env) == [(BIG, "0.10", "2025-03-30T00:30:00.000001+00:00")]
    assert carry(env) == []
    insert("(1, 12345678901234567890.5, 'a', '2025-04-01 00:00+00', null)")
    insert(
        "(2, 7, 'b', '2025-04-02 00:00+00', null), (3, 7, ':deleted', '2025-04-03 00:00+00', null)"
    )
    (name,) = carry(env)
    assert "2025-04-02" in name
    assert [(row[0], row[1]) for row in table(env)][1:] == [
        (1, "12345678901234567890.5"),
        (2, "7"),
    ]


def test_a_snapshot_that_did_not_change_is_no_news(
    s3_env: Callable[[dict[str, str]], Environment], insert: Callable[[str], None]
) -> None:
    env = s3_env(yaml(**{"  watermark: updated_at\n": ""}))
    insert("(2, 7, 'b', '2025-04-02 00:00+00', null), (1, 7, 'c', '2025-04-03 00:00+00', null)")
    assert len(carry(env)) == 1
    assert discover(env, "orders") == []
    insert("(3, 7, 'c', '2025-04-04 00:00+00', null)")
    assert len(discover(env, "orders")) == 1


def test_many_rows_are_streamed(
    s3_env: Callable[[dict[str, str]], Environment], shop: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trimtab.adapters import sql

    monkeypatch.setattr(sql, "_BATCH", 1_000)
    with shop.begin() as connection:
        connection.execute(
            text(
                "insert into orders select i, i / 8.0, 'n' || i, "
                "timestamptz '2025-01-01 00:00+00' + i * interval '1 second', null "
                "from generate_series(1, 25000) i"
            )
        )
    env = s3_env(yaml())
    carry(env)
    assert len(table(env)) == 25_000


def test_a_wrong_query_says_so_and_no_secret(
    s3_env: Callable[[dict[str, str]], Environment],
    shop: Engine,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    env = s3_env(yaml(note="nothing"))
    with pytest.raises(TrimtabError, match="nothing") as caught:
        discover(env, "orders")
    told = caplog.text + str(caught.value) + repr(caught.value.__cause__)
    assert "PLANTED" not in told


def test_no_secret_reaches_the_ledger(
    s3_env: Callable[[dict[str, str]], Environment], insert: Callable[[str], None]
) -> None:
    env = s3_env(yaml())
    insert("(1, 1, 'a', '2025-04-01 00:00+00', null)")
    carry(env)
    with env.ledger.engine.connect() as connection:
        told = str(connection.execute(text("select subject, key, payload from events")).all())
    assert "orders" in told
    assert "PLANTED" not in told
