"""What may be removed, and what never is."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from deltalake import DeltaTable

from trimtab.adapters import delta, delta_files
from trimtab.stages.publish import publish
from trimtab.stages.retention import retention
from trimtab.types import FeatureSet

MONTH = timedelta(days=30)


def line(key: str, n: object = 1) -> str:
    return f"{key},2013-01-05T00:00:00Z,{n}"


@pytest.fixture
def shop(open_shop: Callable[..., Any]) -> Any:
    """Eight versions; each replaces the one row there is."""
    opened = open_shop("upsert")
    for n in range(8):
        opened.give(f"{n}.csv", line("a", n))
    return opened


def parquet(shop: Any) -> set[str]:
    return {f.name for f in (shop.env.lake / "datasets/shop").glob("*.parquet")}


def trained_on(shop: Any, version: int) -> None:
    record = FeatureSet(
        model="m",
        key="k",
        uri="features/m/k.parquet",
        task="binary",
        train_rows=1,
        holdout_rows=1,
        versions={"shop": version},
    )
    shop.env.ledger.append("features", "m", "k", record.to_json())


def later(shop: Any, days: int = 31) -> None:
    shop.clock.time += timedelta(days=days)


def test_a_dry_run_names_everything_and_removes_nothing(shop: Any) -> None:
    later(shop)
    before = parquet(shop)
    found = retention(shop.env, "shop", keep=MONTH, newest=2)
    assert (found.versions, found.kept) == ((0, 1, 2, 3, 4, 5), (6, 7))
    assert sum(f.startswith("datasets/shop/") for f in found.files) == 6
    assert sum(f.startswith("staging/shop/") for f in found.files) == 8
    assert found.bytes > 0
    assert parquet(shop) == before
    assert shop.env.ledger.events("retention") == []


def test_young_versions_stay(shop: Any) -> None:
    later(shop, 29)
    assert retention(shop.env, "shop", keep=MONTH, newest=1).files == ()


def test_a_version_a_model_was_trained_on_and_the_newest_can_be_read_afterwards(shop: Any) -> None:
    trained_on(shop, 2)
    later(shop)
    done = retention(shop.env, "shop", keep=MONTH, newest=2, apply=True, actor="ann")
    assert (done.versions, done.kept) == ((0, 1, 3, 4, 5), (2, 6, 7))
    assert {v: shop.rows(v) for v in done.kept} == {2: [("a", 2)], 6: [("a", 6)], 7: [("a", 7)]}
    with pytest.raises(Exception, match="No such file"):
        shop.rows(3)
    (event,) = shop.env.ledger.events("retention", "shop")
    assert (event.actor, tuple(event.payload["files"])) == ("ann", done.files)
    again = retention(shop.env, "shop", keep=MONTH, newest=2, apply=True)
    assert again.files == ()
    assert len(shop.env.ledger.events("retention")) == 1


def test_killed_in_the_middle_and_run_again_removes_the_same(
    shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    later(shop)
    planned = retention(shop.env, "shop", keep=MONTH, newest=2)
    delete, left = shop.env.store.delete, iter(range(3))

    def dying(key: str) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        delete(key)

    with monkeypatch.context() as patch:
        patch.setattr(shop.env.store, "delete", dying)
        with pytest.raises(KeyboardInterrupt):
            retention(shop.env, "shop", keep=MONTH, newest=2, apply=True)
    retention(shop.env, "shop", keep=MONTH, newest=2, apply=True)
    assert not any(shop.env.store.exists(key) for key in planned.files)
    told = {f for e in shop.env.ledger.events("retention") for f in e.payload["files"]}
    assert told == {*planned.files}
    assert shop.rows() == [("a", 7)]


def test_staged_rows_that_wait_for_their_publication_stay(shop: Any) -> None:
    sha = shop.land("wait.csv", line("b", 1))
    shop.judge()
    later(shop, 400)
    retention(shop.env, "shop", keep=MONTH, newest=1, apply=True)
    (version,) = publish(shop.env, "shop", [sha])
    assert (version.rows, shop.rows()) == (1, [("a", 7), ("b", 1)])


def test_staged_leftovers_of_published_files_go(open_shop: Callable[..., Any]) -> None:
    shop = open_shop()
    shop.give("a.csv", line("a"), line("b"))
    shop.give(
        "b.csv", line("b"), line("c")
    )  # b is set aside, so the staged file is not the table's
    assert len(parquet(shop)) == 3
    later(shop)
    retention(shop.env, "shop", keep=MONTH, newest=9, apply=True)
    assert parquet(shop) == set(delta_files.files(shop.env.table("shop")))


def test_vacuum_would_remove_staged_rows_before_they_are_published(shop: Any) -> None:
    """Why files are removed by our own list: Delta cannot know what is about to be published."""
    sha = shop.land("wait.csv", line("b", 1))
    shop.judge()
    staged = shop.env.ledger.find("file", "shop", sha).payload["staged"].rsplit("/", 1)[-1]
    table = DeltaTable(shop.env.table("shop"))
    asked = {"retention_hours": 0, "enforce_retention_duration": False, "full": True}
    gone = table.vacuum(dry_run=True, keep_versions=[0, delta.version(table.table_uri)], **asked)
    assert staged in gone
    (first,) = delta_files.files(shop.env.table("shop"), 0)
    assert first not in gone
