"""Online features: rows per second into each store, against the barest writing of the same rows."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg2
import pytest
from psycopg2.extras import execute_values
from sqlalchemy import make_url

from trimtab.adapters.online import Row, Shelf, open_online

pytestmark = pytest.mark.benchmark
ROWS, BATCH, ASKED = 100_000, 5_000, 1_000
NEW = Shelf("view", "shelf", "definition", begun=1)
SINCE = "2026-01-03T00:00:00.000000"
VALUES = json.dumps({f"feature_{i}": i * 1.234567 for i in range(10)})


def rows(day: int) -> list[Row]:
    at = f"2026-01-{day:02}T00:00:00.000000"
    return [Row(f'["{i:07}"]', at, at, day, VALUES) for i in range(ROWS)]


def seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def bare_postgres(url: str, many: list[Row]) -> None:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg2.connect(plain) as connection, connection.cursor() as cursor:
        cursor.execute("create table bare (entity text primary key, t text, k text, v int, d text)")
        execute_values(cursor, "insert into bare values %s", many, page_size=BATCH)


def bare_redis(url: str, many: list[Row]) -> None:
    import redis

    pipe = redis.Redis.from_url(url).pipeline(transaction=False)
    for i, row in enumerate(many, 1):
        pipe.hset("bare", row.entity, row.values)
        if i % BATCH == 0:
            pipe.execute()


@pytest.mark.parametrize(
    ("place", "bare"), [("database", bare_postgres), ("redis_url", bare_redis)]
)
def test_rows_per_second(
    place: str, bare: Callable[[str, list[Row]], None], request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue(place)
    store = open_online(url)

    def put(shelf: Shelf, many: list[Row]) -> None:
        store.begin(shelf)
        for start in range(0, ROWS, BATCH):
            store.put(shelf, many[start : start + BATCH], since=SINCE)
        store.finish(shelf)

    floor = seconds(lambda: bare(url, rows(1)))
    first = seconds(lambda: put(NEW, rows(1)))
    again = seconds(lambda: put(replace(NEW, completed=1), rows(2)))
    shelf = replace(NEW, completed=1)
    one = seconds(lambda: [store.get(shelf, [f'["{i:07}"]']) for i in range(ASKED)])
    name = url.partition("+")[0].partition(":")[0]
    print(f"\n{name}: {ROWS / first:,.0f} rows/s, {first / floor:.1f}x bare writing (goal 3x)")
    print(
        f"{name}: {ROWS / again:,.0f} rows/s where older ones lie, {again / floor:.1f}x (goal 6x)"
    )
    print(f"{name}: one entity in {1000 * one / ASKED:.2f} ms (goal 2 ms)")
