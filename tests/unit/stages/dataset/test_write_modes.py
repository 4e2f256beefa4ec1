"""What a file does to a table that has rows already, by the dataset's way to write."""

from collections.abc import Callable
from typing import Any

import pytest

from trimtab.adapters import delta, delta_files
from trimtab.data import versions, writing
from trimtab.stages.publish import publish

JANUARY = ("a,2013-01-05T00:00:00Z,1", "b,2013-01-06T00:00:00Z,2", "c,2013-01-07T00:00:00Z,3")


def line(key: str, n: object = 1, month: int = 1) -> str:
    return f"{key},2013-{month:02d}-05T00:00:00Z,{n}"


def told(version: Any) -> tuple[Any, ...]:
    """Operation; rows added, updated, removed, unchanged."""
    names = ("operation", "rows_added", "rows_updated", "rows_removed", "rows_unchanged")
    return tuple(getattr(version, name) for name in names)


def content(shop: Any) -> str:
    path = shop.env.table("shop")
    table = writing.at(path, delta.version(path), delta.schema(path))
    return str(versions.measured(table))


def test_append_sets_rows_aside_whose_key_another_file_has(shop: Any) -> None:
    first = shop.give("a.csv", *JANUARY)
    assert told(first) == ("append", 3, 0, 0, 0)
    second = shop.give("b.csv", JANUARY[0], line("b", 9), line("d", 4, month=2))
    assert told(second) == ("append", 1, 0, 0, 0)
    assert second.set_aside == {"conflicting_key": 1, "duplicate_key": 1}
    assert shop.aside(second.sha256) == [("a", "duplicate_key"), ("b", "conflicting_key")]
    assert shop.rows() == [("a", 1), ("b", 2), ("c", 3), ("d", 4)]
    assert second.content == content(shop)
    assert second.partitions == ("2013-02",)


def test_publishing_copies_nothing_unless_rows_are_set_aside(shop: Any) -> None:
    version = shop.give("a.csv", *JANUARY)
    (file,) = delta_files.files(shop.env.table("shop"))
    staged = shop.env.ledger.find("file", "shop", version.sha256).payload["staged"]
    assert staged == f"datasets/shop/{file}"
    assert len(list((shop.env.lake / "datasets/shop").glob("*.parquet"))) == 1


def test_a_file_that_changes_nothing_makes_no_version(shop: Any) -> None:
    shop.give("a.csv", *JANUARY)
    again = shop.give("b.csv", *reversed(JANUARY))
    assert (again.version, again.operation, again.rows) == (0, "none", 0)
    assert again.set_aside == {"duplicate_key": 3}
    assert delta.version(shop.env.table("shop")) == 0
    assert publish(shop.env, "shop", [again.sha256]) == [again]


def test_a_restated_file_replaces_its_earlier_rows_in_one_commit(shop: Any) -> None:
    first = shop.give("jan.csv", *JANUARY)
    other = shop.give("feb.csv", line("x", 7, month=2))
    again = shop.give("jan.csv", JANUARY[0], line("b", 5), line("e", 6), line("x", 7, month=2))
    assert told(again) == ("restate", 1, 1, 1, 1)
    assert again.set_aside == {"duplicate_key": 1}  # x is another file's
    assert again.replaces == (first.sha256,)
    assert again.version == other.version + 1
    assert shop.rows() == [("a", 1), ("b", 5), ("e", 6), ("x", 7)]
    assert shop.rows(other.version) == [("a", 1), ("b", 2), ("c", 3), ("x", 7)]
    third = shop.give("jan.csv", line("b", 8))
    assert third.replaces == (again.sha256,)
    assert shop.rows() == [("b", 8), ("x", 7)]
    assert third.content == content(shop)


def test_a_restated_file_that_says_the_same_changes_nothing(shop: Any) -> None:
    shop.give("jan.csv", *JANUARY)
    again = shop.give("jan.csv", *reversed(JANUARY))
    assert (told(again), again.version) == (("none", 0, 0, 0, 3), 0)
    third = shop.give("jan.csv", line("z"))
    assert (third.operation, shop.rows()) == ("restate", [("z", 1)])


@pytest.mark.parametrize("write", ["append", "upsert", "replace_partition"])
def test_an_earlier_file_published_late_does_not_undo_a_later_one(
    open_shop: Callable[..., Any], write: str
) -> None:
    shop = open_shop(write)
    old = shop.land("jan.csv", *JANUARY)
    shop.judge()
    new = shop.land("jan.csv", line("a", 9), line("b", 9), line("c", 9))
    shop.judge()
    publish(shop.env, "shop", [new])
    (late,) = publish(shop.env, "shop", [old])
    assert (late.operation, late.superseded, late.version) == ("none", 3, 0)
    assert shop.rows() == [("a", 9), ("b", 9), ("c", 9)]


def test_files_of_one_call_go_in_the_order_they_were_judged(shop: Any) -> None:
    one = shop.land("jan.csv", *JANUARY)
    shop.judge()
    two = shop.land("jan.csv", line("a", 9))
    shop.judge()
    assert [v.sha256 for v in publish(shop.env, "shop", [two, one])] == [one, two]
    assert shop.rows() == [("a", 9)]


def test_upsert_replaces_equal_keys_and_leaves_other_files_alone(
    open_shop: Callable[..., Any],
) -> None:
    shop = open_shop("upsert")
    shop.give("a.csv", *JANUARY)
    shop.give("b.csv", line("y", 1, month=2), line("z", 1, month=2))
    before = set(delta_files.files(shop.env.table("shop")))
    third = shop.give("c.csv", JANUARY[0], line("b", 20), line("d", 4))
    assert told(third) == ("upsert", 1, 1, 0, 1)
    assert shop.rows() == [("a", 1), ("b", 20), ("c", 3), ("d", 4), ("y", 1), ("z", 1)]
    after = set(delta_files.files(shop.env.table("shop")))
    assert len(before & after) == 1  # the file of February was not touched
    assert third.content == content(shop)
    assert third.total_rows == 6


def test_upsert_of_rows_that_are_there_makes_no_version(open_shop: Callable[..., Any]) -> None:
    shop = open_shop("upsert")
    shop.give("a.csv", *JANUARY)
    again = shop.give("b.csv", JANUARY[2], JANUARY[1])
    assert (told(again), again.version) == (("none", 0, 0, 0, 2), 0)


def test_upsert_of_every_row_leaves_no_row_of_the_first_file(open_shop: Callable[..., Any]) -> None:
    shop = open_shop("upsert")
    first = shop.give("a.csv", *JANUARY)
    second = shop.give("b.csv", line("a", 7), line("b", 7), line("c", 7))
    assert second.replaces == (first.sha256,)
    assert len(delta_files.files(shop.env.table("shop"))) == 1


def test_replace_partition_replaces_the_months_of_the_file(open_shop: Callable[..., Any]) -> None:
    shop = open_shop("replace_partition")
    shop.give("a.csv", *JANUARY, line("f", 1, month=2))
    second = shop.give("b.csv", JANUARY[0], line("b", 20), line("f", 9, month=1))
    assert told(second) == ("replace_partition", 0, 1, 1, 1)
    assert second.set_aside == {"conflicting_key": 1}  # f is in February, which stays
    assert shop.rows() == [("a", 1), ("b", 20), ("f", 1)]
    assert second.content == content(shop)


def test_a_late_month_is_simply_a_new_version(shop: Any) -> None:
    shop.give("mar.csv", line("m", month=3))
    late = shop.give("jan.csv", *JANUARY)
    assert (late.version, late.partitions) == (1, ("2013-01",))
    assert f"{late.newest:%Y-%m}" == "2013-03"


def test_a_missing_value_is_not_equal_to_another_one(open_shop: Callable[..., Any]) -> None:
    shop = open_shop("upsert")
    shop.give("a.csv", "a,2013-01-05T00:00:00Z,", "b,2013-01-05T00:00:00Z,")
    second = shop.give("b.csv", "a,2013-01-05T00:00:00Z,", "b,2013-01-05T00:00:00Z,0")
    assert told(second) == ("upsert", 0, 1, 0, 1)
    assert shop.rows() == [("a", None), ("b", 0)]
