"""Rows of a query: each once, exactly as they are, and the same rows as the same bytes."""

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trimtab.adapters import sql
from trimtab.clock import FixedClock
from trimtab.data.sources import open_source
from trimtab.environment import Environment
from trimtab.errors import DependencyError, NotReadyError, TrimtabError

YAML = """
dataset: orders
owner: me
source: {{kind: sql, url: "sqlite:///{file}", query: "{query}"{more}}}
key: [id]
columns: {{id: {{type: int}}, name: {{type: text}}}}
"""
QUERY = "select id, name from orders;"
Database = Callable[[str], list[Any]]


@pytest.fixture
def database(tmp_path: Path) -> Database:
    connection = sqlite3.connect(tmp_path / "orders.db")

    def run(statement: str) -> list[Any]:
        with connection:
            return connection.execute(statement).fetchall()

    run("create table orders (id integer, name text)")
    run("insert into orders values (2, 'b'), (1, '007'), (9223372036854775807, 'é:x')")
    return run


@pytest.fixture
def env(
    open_env: Callable[[dict[str, str]], Environment], tmp_path: Path
) -> Callable[..., Environment]:
    def opened(more: str = "", query: str = QUERY) -> Environment:
        text = YAML.format(file=tmp_path / "orders.db", query=query, more=more)
        return open_env({"datasets/orders.yaml": text})

    return opened


def rows(env: Environment, tmp_path: Path) -> list[dict[str, Any]]:
    """Fetch everything that is new and note it as judged."""
    there = open_source(env, "orders")
    found = []
    for file in there.files():
        sha256 = there.fetch(file, tmp_path / "rows.parquet")
        found += pq.read_table(tmp_path / "rows.parquet").to_pylist()
        judged = {"sha256": sha256, "verdict": "accepted"}
        env.ledger.append("sighting", "orders", file.sighting, judged)
    return found


def test_a_snapshot_holds_every_row_in_the_order_of_its_key(
    env: Callable[..., Environment], database: Database, tmp_path: Path
) -> None:
    assert rows(env(), tmp_path) == [
        {"id": 1, "name": "007"},
        {"id": 2, "name": "b"},
        {"id": 9223372036854775807, "name": "é:x"},
    ]


def test_a_snapshot_is_known_by_its_rows_not_by_their_place_in_the_table(
    env: Callable[..., Environment], database: Database
) -> None:
    def seen() -> list[str]:
        return [file.sighting for file in open_source(env(), "orders").files()]

    first = seen()
    database("delete from orders where id = 2")
    assert seen() != first
    database("insert into orders values (2, 'b')")
    assert seen() == first


def test_a_watermark_reads_each_row_once(
    env: Callable[..., Environment], database: Database, tmp_path: Path
) -> None:
    database("delete from orders where id > 10")
    here = env(", watermark: id")
    assert [row["id"] for row in rows(here, tmp_path)] == [1, 2]
    assert open_source(here, "orders").files() == []
    database("insert into orders values (3, 'c'), (4, 'd')")
    assert [row["id"] for row in rows(here, tmp_path)] == [3, 4]


def test_a_range_stays_what_it_was_when_more_rows_come(
    env: Callable[..., Environment], database: Database, tmp_path: Path
) -> None:
    database("delete from orders where id > 10")
    there = open_source(env(", watermark: id"), "orders")
    (file,) = there.files()
    first = there.fetch(file, tmp_path / "a")
    database("insert into orders values (3, 'c')")
    assert there.fetch(file, tmp_path / "a") == first


def test_a_range_somebody_else_has_read_is_not_read_again(
    env: Callable[..., Environment], database: Database, tmp_path: Path
) -> None:
    here = env(", watermark: id")
    there = open_source(here, "orders")
    (file,) = there.files()
    rows(here, tmp_path)
    with pytest.raises(NotReadyError, match="another range"):
        there.fetch(file, tmp_path / "a")


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("text", ["2026-01-01 10:00:00", "2026-01-01 10:00:00.5", "2026-01-02"]),
        ("integer", [-1, 0, 9223372036854775807]),
    ],
)
def test_watermarks_of_every_type_find_their_way_through_the_ledger(
    env: Callable[..., Environment],
    database: Database,
    tmp_path: Path,
    kind: str,
    values: list[Any],
) -> None:
    database(f"create table marked (id integer, name text, mark {kind})")
    here = env(", watermark: mark", "select * from marked")
    for number, value in enumerate(values):
        database(f"insert into marked values ({number}, 'x', {value!r}), (9, null, null)")
        assert [row["id"] for row in rows(here, tmp_path)] == [number]


def test_a_row_without_watermark_is_never_new(
    env: Callable[..., Environment], database: Database
) -> None:
    database("update orders set id = null")
    assert open_source(env(", watermark: id"), "orders").files() == []


def test_a_name_may_be_used_as_a_file_name(
    env: Callable[..., Environment], database: Database
) -> None:
    database("update orders set name = '../../etc/ ü:*' || id")
    (file,) = open_source(env(", watermark: name"), "orders").files()
    assert file.name.startswith("orders-")
    assert set(file.name) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-")


def test_colons_and_percent_signs_are_no_parameters(
    env: Callable[..., Environment], database: Database, tmp_path: Path
) -> None:
    query = "select id, name || ':x 100%s' as name from orders where name <> ':y'"
    assert rows(env("", query), tmp_path)[0]["name"] == "007:x 100%s"


def test_lag_holds_young_rows_back(
    env: Callable[..., Environment],
    database: Database,
    clock: FixedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Any] = []

    def value(_engine: Any, _statement: str, bounds: dict[str, Any]) -> Any:
        asked.append(bounds)
        return clock.now() if len(asked) == 1 else clock.now() - timedelta(hours=2)

    monkeypatch.setattr(sql, "value", value)  # SQLite has no type for times
    (file,) = open_source(env(", watermark: id, lag: 1h"), "orders").files()
    assert asked == [{}, {"limit": clock.now() - timedelta(hours=1)}]
    assert "2025-12-31-22-00-00" in file.name


def test_a_database_that_is_away_is_worth_a_retry(env: Callable[..., Environment]) -> None:
    here = env("", "select id, name from nothing")
    with pytest.raises(DependencyError, match="nothing"):
        open_source(here, "orders").files()


def test_an_address_nobody_knows_says_so(open_env: Callable[..., Environment]) -> None:
    text = YAML.format(file="", query=QUERY, more="").replace("sqlite:///", "oracel://x")
    with pytest.raises(TrimtabError, match="oracel"):
        open_source(open_env({"datasets/orders.yaml": text}), "orders").files()


def arrow(*values: Any, tmp_path: Path, batch: int = 2) -> pa.ChunkedArray:
    """Write one column as the driver gave it; read it back."""
    tables = [
        sql._table(["x"], [(value,) for value in values[start : start + batch]])
        for start in range(0, len(values), batch)
    ]
    schema = sql._common([table.schema for table in tables])
    return pa.concat_tables([sql._as(table, schema) for table in tables])["x"]


MIDNIGHT = datetime(2026, 3, 29, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "expected", "type_"),
    [
        ([1, None, 2**63 - 1], None, pa.int64()),
        ([None, None, 5], None, pa.int64()),
        ([None, None], None, pa.string()),
        ([1, 2, 2**70], ["1", "2", str(2**70)], pa.string()),
        ([Decimal("1.50"), Decimal("0.123456")], None, pa.decimal128(7, 6)),
        ([Decimal("1.5"), None, Decimal("1234567.25")], None, pa.decimal128(9, 2)),
        ([Decimal("1.5"), Decimal("NaN")], ["1.5", "NaN"], pa.string()),
        ([Decimal("1.5"), None, Decimal("1e-40")], None, pa.string()),
        ([0.1, None, 1e300], None, pa.float64()),
        ([True, None, False], None, pa.bool_()),
        ([b"a", memoryview(b"b")], [b"a", b"b"], pa.binary()),
        ([{"b": 1, "a": [1]}, None], ['{"a": [1], "b": 1}', None], pa.string()),
        ([1, 2, 3.5, None], ["1", "2", "3.5", None], pa.string()),
        ([9007199254740993, 0.5], ["9007199254740993", "0.5"], pa.string()),
        ([MIDNIGHT, None, MIDNIGHT], None, pa.timestamp("us", "UTC")),
    ],
)
def test_values_are_kept_exactly(
    values: list[Any], expected: list[Any] | None, type_: pa.DataType, tmp_path: Path
) -> None:
    column = arrow(*values, tmp_path=tmp_path)
    assert column.type == type_
    if type_ == pa.string() and expected is None:
        expected = [None if value is None else str(value) for value in values]
    assert column.to_pylist() == (values if expected is None else expected)


def test_a_password_does_not_belong_into_a_dataset_file(open_env: Callable[..., Any]) -> None:
    text = YAML.format(file="", query=QUERY, more="").replace(
        "sqlite:///", "postgresql://me:PLANTED@host/db"
    )
    (problem,) = open_env({"datasets/orders.yaml": text}).project.problems
    assert "connection" in str(problem)
    assert "PLANTED" not in str(problem)
