"""Online features in a real PostgreSQL and a real Redis."""

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from trimtab.adapters.online import OnlineStore, Row, Shelf, open_online
from trimtab.clock import FixedClock
from trimtab.environment import Environment
from trimtab.errors import DependencyError
from trimtab.features.online import stamp
from trimtab.stages.materialize import materialize
from trimtab.stages.online import get
from unit.histories import FILES, KEYS, disagreements, history, hours, rows
from unit.published import publish as publish_rows

Publish = Callable[..., Any]
SHELF = Shelf("v", "s", "d", begun=1, completed=0)


@pytest.fixture
def publish() -> Publish:
    return publish_rows


@pytest.fixture(params=["database", "redis_url"])
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def store(url: str) -> OnlineStore:
    opened = open_online(url)
    opened.begin(SHELF)
    return opened


@pytest.fixture
def env(open_env: Any, url: str, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> Environment:
    clock.time = hours(1000)
    opened: Environment = open_env(FILES)
    vars(opened)["online"] = url
    return opened


def row(entity: str, time: float, known: float, version: int, values: str) -> Row:
    return Row(entity, stamp(hours(time)), stamp(hours(known)), version, values)


@pytest.mark.parametrize("seed", range(2))
def test_online_is_what_the_table_would_say(
    env: Environment, publish: Publish, clock: FixedClock, seed: int
) -> None:
    assert disagreements(env, publish, clock, seed) == 0


def test_values_come_back(env: Environment, publish: Publish) -> None:
    odd = {"big": 9_223_372_036_854_775_807, "heat": 0.1 + 0.2, "note": 'ü"\n|{}', "good": False}
    publish(env, "readings", rows({"at": hours(0), **odd}))
    materialize(env, "sensor")
    found = get(env, "sensor", KEYS[:1], at=hours(1))[0].values
    assert found == {**odd, "since": None, "twice": 2 * (0.1 + 0.2)}


def test_two_writers_at_once_in_any_order(url: str, store: OnlineStore) -> None:
    """Every row of many, by four writers in different orders: the newest of each stays."""
    entities = [f'["e{i:03}"]' for i in range(200)]
    every = [
        row(entity, time, time + late, version, f'{{"x":{time}.{late}.{version}}}')
        for entity in entities
        for time, late, version in itertools.product((1, 2, 3), (0, 5), (1, 2))
    ]
    since = stamp(hours(4))

    def write(turn: int) -> None:
        mine = open_online(url)
        mixed = sorted(every, key=lambda r: hash((r, turn)))
        for start in range(0, len(mixed), 100):
            mine.put(SHELF, sorted_(mixed[start : start + 100]), since=since)

    with ThreadPoolExecutor(4) as writers:
        list(writers.map(write, range(4)))
    store.put(
        SHELF, sorted_(r for r in every if r.time == stamp(hours(1))), since=since
    )  # a zombie
    there = store.get(SHELF, entities)
    for entity in entities:
        left = sorted(there[entity], key=lambda r: (r.time, r.known), reverse=True)
        settled = row(entity, 3, 3, 2, '{"x":3.0.2}')
        assert left == [row(entity, 3, 8, 2, '{"x":3.5.2}'), settled]


def sorted_(some: Any) -> list[Row]:
    """One row of each moment, the later version, by entity: what materialising hands over."""
    one = {(r.entity, r.time, r.known): r for r in sorted(some, key=lambda r: r.version)}
    return [one[moment] for moment in sorted(one)]


def test_two_materializations_at_once(env: Environment, publish: Publish) -> None:
    for number, file in enumerate(history(7)):
        publish(env, "readings", file, f"{number}.csv")
    with ThreadPoolExecutor(2) as copies:
        one, other = copies.map(lambda _: materialize(env, "slow"), range(2))
    assert one == other


def test_a_backfill_does_not_win(env: Environment, publish: Publish) -> None:
    publish(env, "readings", rows({"at": hours(10), "heat": 1.0}))
    materialize(env, "sensor")
    publish(env, "readings", rows({"at": hours(5), "heat": 2.0}, first=9), "old.csv")
    assert materialize(env, "sensor").incremental
    values = get(env, "sensor", KEYS[:1], at=hours(11))[0].values
    assert values
    assert values["heat"] == 1.0


def test_other_shelves_go_when_this_one_is_complete(store: OnlineStore) -> None:
    old, newer = Shelf("v", "old", "x", begun=0), Shelf("v", "newer", "y", begun=3)
    for shelf in (old, newer):
        store.begin(shelf)
        store.put(shelf, [row("[1]", 1, 1, 0, "{}")], since=stamp(hours(2)))
    done = Shelf("v", "s", "d", begun=1, completed=1, since=stamp(hours(2)))
    store.finish(done)
    assert store.drop(done) == 1
    assert {shelf.name for shelf in store.shelves("v")} == {"s", "newer"}
    assert store.get(old, ["[1]"]) == {}
    assert store.get(newer, ["[1]"])


def test_a_server_that_is_not_there() -> None:
    for address in ("redis://127.0.0.1:1/0", "postgresql+psycopg2://me:secret@127.0.0.1:1/x"):
        with pytest.raises(DependencyError) as caught:
            open_online(address).probe()
        assert "secret" not in str(caught.value)
        assert "127.0.0.1" in str(caught.value)
