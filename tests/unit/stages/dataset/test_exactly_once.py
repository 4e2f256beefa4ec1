"""Kills, zombies and runs at once leave the table that an undisturbed run leaves.

The same few files, given by a run that dies before any one of its writes, and by copies that run
beside each other, are compared with an undisturbed run: rows, content, one commit per file.
"""

import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake

from trimtab.adapters import delta, delta_commit
from trimtab.data import versions, writing
from trimtab.stages.publish import publish

MODES = ("append", "upsert", "replace_partition")
OpenShop = Callable[..., Any]


class KilledError(BaseException):
    """Stands for SIGKILL: nothing catches it."""


def lines(first: int, count: int, n: int, month: int) -> list[str]:
    return [f"k{i},2013-{month:02d}-05T00:00:00Z,{n}" for i in range(first, first + count)]


def landed(shop: Any) -> list[str]:
    """January, February with clashes, January restated, and an old month that comes late."""
    files = {
        "jan.csv": lines(0, 6, 1, 1),
        "feb.csv": lines(4, 6, 2, 2),
        "old.csv": lines(20, 3, 3, 1)[:2] + lines(30, 2, 3, 1),
    }
    shas = []
    for name, content in files.items():
        shas.append(shop.land(name, *content))
        shop.judge()
    shas.append(shop.land("jan.csv", *lines(0, 3, 9, 1), *lines(8, 1, 9, 1)))
    shop.judge()
    return shas


def state(shop: Any) -> tuple[Any, ...]:
    """What must be equal: rows, content, and what was told of each file."""
    path = shop.env.table("shop")
    table = writing.at(path, delta.version(path), delta.schema(path))
    told = [
        {k: v for k, v in event.payload.items() if k != "version"}
        for event in shop.env.ledger.events("dataset_version", "shop")
    ]
    return shop.rows(), str(versions.measured(table)), sorted(told, key=lambda t: t["sha256"])


def commits(shop: Any) -> list[str]:
    history = DeltaTable(shop.env.table("shop")).history()
    return [c["transaction"] for c in history if "transaction" in c]


@pytest.fixture(params=MODES)
def undisturbed(
    request: pytest.FixtureRequest, open_shop: OpenShop, tmp_path: Path
) -> tuple[str, tuple[Any, ...]]:
    shop = open_shop(request.param)
    for sha in landed(shop):
        publish(shop.env, "shop", [sha])
    result = state(shop)
    (tmp_path / "home").rename(tmp_path / "undisturbed")
    return request.param, result


@contextmanager
def dying(shop: Any, at: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the publisher die before its ``at``-th write, whatever it writes to."""
    count = itertools.count()

    def mortal(function: Callable[..., Any], when: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            turn = next(count)
            if turn == at and when == "before":
                raise KilledError
            result = function(*args, **kwargs)
            if turn == at:
                raise KilledError
            return result

        return call

    with monkeypatch.context() as patch:
        for when in ("before", "after"):
            patch.setattr(shop.env.ledger, "append", mortal(shop.env.ledger.append, when))
            patch.setattr(shop.env.store, "put", mortal(shop.env.store.put, when))
            patch.setattr(delta_commit, "commit", mortal(delta_commit.commit, when))
        yield


def test_killed_before_and_after_every_write(
    undisturbed: tuple[str, tuple[Any, ...]], open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    mode, expected = undisturbed
    shop = open_shop(mode)
    shas, points = landed(shop), 0
    for sha in shas:
        at = 0
        while True:  # die at a later point each time, until it is through
            with dying(shop, at, monkeypatch):
                try:
                    publish(shop.env, "shop", [sha])
                    break
                except KilledError:
                    at, points = at + 1, points + 1
    assert points > 2 * len(shas)
    assert state(shop) == expected
    assert sorted(commits(shop)) == sorted(set(commits(shop)))


def test_a_zombie_that_wakes_before_its_commit(
    undisturbed: tuple[str, tuple[Any, ...]], open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has planned; its retry, and the files after it, are published; then it goes on."""
    mode, expected = undisturbed
    shop = open_shop(mode)
    shas = landed(shop)
    publish(shop.env, "shop", shas[:1])
    planned, go_on = threading.Event(), threading.Event()
    commit = delta_commit.commit

    def slow(*args: Any, **kwargs: Any) -> int:
        if threading.current_thread().name.startswith("zombie"):
            planned.set()
            go_on.wait(60)
        return commit(*args, **kwargs)

    monkeypatch.setattr(delta_commit, "commit", slow)
    with ThreadPoolExecutor(1, thread_name_prefix="zombie") as pool:
        zombie = pool.submit(publish, shop.env, "shop", [shas[1]])
        planned.wait(60)
        (retried,) = publish(shop.env, "shop", [shas[1]])
        publish(shop.env, "shop", shas[2:])
        go_on.set()
        assert zombie.result(60) == [retried]
    assert state(shop) == expected
    assert sorted(commits(shop)) == sorted(shas)


@pytest.mark.parametrize("mode", MODES)
def test_publishers_at_once_make_one_commit_per_file(open_shop: OpenShop, mode: str) -> None:
    shop = open_shop(mode)
    shas = []
    for i in range(5):
        shas.append(shop.land(f"{i}.csv", *lines(10 * i, 5, i, i + 1)))
        shop.judge()
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: publish(shop.env, "shop", shas), range(4)))
    assert made == [made[0]] * 4
    assert sorted(commits(shop)) == sorted(shas)
    assert len(shop.rows()) == 25


def test_a_naive_publisher_doubles_rows(
    open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: append, then note it, as one would write it without thinking of kills."""
    shop = open_shop()
    sha = shop.land("a.csv", *lines(0, 5, 1, 1))
    shop.judge()
    staged = shop.env.ledger.find("file", "shop", sha).payload["staged"]

    def naive() -> None:
        if shop.env.ledger.find("dataset_version", "shop", sha) is None:
            rows = pl.read_parquet(shop.env.store.location(staged)).to_arrow()
            write_deltalake(shop.env.table("shop"), rows, mode="append")
            shop.env.ledger.append("dataset_version", "shop", sha, {})

    with dying(shop, 1, monkeypatch), pytest.raises(KilledError):
        naive()
    naive()
    assert len(shop.rows()) == 10
