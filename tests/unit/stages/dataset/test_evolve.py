"""Columns that follow the contract, or a file, and those that cannot."""

from collections.abc import Callable
from typing import Any

import pytest

from trimtab.adapters import delta
from trimtab.errors import DataError
from trimtab.stages.ingest import discover, ingest
from trimtab.stages.publish import publish

OpenShop = Callable[..., Any]


def line(key: str, *cells: object) -> str:
    return ",".join([key, "2013-01-05T00:00:00Z", *map(str, cells)])


def changes(shop: Any) -> list[dict[str, Any]]:
    return [e.payload for e in shop.env.ledger.events("schema_change", "shop")]


def test_a_file_with_unknown_columns_is_refused_by_a_strict_dataset(shop: Any) -> None:
    shop.land("a.csv", line("a", 1, "x"), header="id,at,n,colour")
    verdict = ingest(shop.env, discover(shop.env, "shop")[0])
    assert (verdict.verdict, verdict.reason) == ("rejected", "unexpected_column")


def test_unknown_columns_are_taken_as_text_and_recorded(open_shop: OpenShop) -> None:
    shop = open_shop(evolve="add_columns")
    shop.give("a.csv", line("a", 1))
    second = shop.give("b.csv", line("b", 2, "007"), header="id,at,n,agent")
    third = shop.give("c.csv", line("c", 3))
    assert (second.columns_added, third.columns_added) == (("agent",), ())
    assert shop.rows(columns=("id", "agent")) == [("a", None), ("b", "007"), ("c", None)]
    (change,) = changes(shop)
    assert (change["added"], change["policy"]) == ({"agent": "large_string"}, "add_columns")
    assert (change["name"], change["sha256"]) == ("b.csv", second.sha256)
    assert delta.schema(shop.env.table("shop"), 0).names == [
        "id",
        "at",
        "n",
        "_row",
        "_file",
        "_partition",
    ]


def test_the_first_file_may_bring_more_columns(open_shop: OpenShop) -> None:
    shop = open_shop(evolve="add_columns")
    shop.give("a.csv", line("a", 1, "x"), header="id,at,n,colour")
    shop.give("b.csv", line("b", 1))
    assert shop.rows(columns=("id", "colour")) == [("a", "x"), ("b", None)]


@pytest.mark.parametrize("name", ["_file", "_secret"])
def test_our_own_names_are_never_let_in(open_shop: OpenShop, name: str) -> None:
    shop = open_shop(evolve="add_columns")
    shop.land("a.csv", line("a", 1, "x"), header=f"id,at,n,{name}")
    assert ingest(shop.env, discover(shop.env, "shop")[0]).reason == "unexpected_column"


def test_a_new_nullable_column_of_the_contract_is_added(open_shop: OpenShop) -> None:
    shop = open_shop()
    first = shop.give("a.csv", line("a", 1))
    shop = open_shop(more="  price: {type: float, nullable: true}")
    second = shop.give("b.csv", line("b", 2, 1.5), header="id,at,n,price")
    assert second.columns_added == ("price",)
    assert shop.rows(columns=("id", "price")) == [("a", None), ("b", 1.5)]
    assert changes(shop)[0]["policy"] == "contract"
    assert first.content is not None


def test_a_new_column_that_may_not_be_empty_is_refused_with_the_cure(open_shop: OpenShop) -> None:
    shop = open_shop()
    shop.give("a.csv", line("a", 1))
    shop = open_shop(more="  price: {type: float}")
    with pytest.raises(DataError, match=r"price is new and may not be empty.*nullable: true"):
        shop.give("b.csv", line("b", 2, 1.5), header="id,at,n,price")
    assert changes(shop) == []


def test_a_dropped_column_is_refused_with_the_cure(open_shop: OpenShop) -> None:
    shop = open_shop(more="  price: {type: float, nullable: true}")
    shop.give("a.csv", line("a", 1, 1.5), header="id,at,n,price")
    shop = open_shop()
    with pytest.raises(DataError, match="has a column price and the contract no longer; put it"):
        shop.give("b.csv", line("b", 2))


def test_whole_numbers_become_floats_when_all_survive(open_shop: OpenShop) -> None:
    shop = open_shop()
    shop.give("a.csv", line("a", 1), line("b", ""))
    shop = open_shop(n="float")
    second = shop.give("b.csv", line("c", 2.5))
    assert shop.rows() == [("a", 1.0), ("b", None), ("c", 2.5)]
    assert shop.rows(0) == [("a", 1), ("b", None)]
    assert changes(shop)[0]["changed"] == {"n": ["int64", "double"]}
    assert second.total_rows == 3


def test_whole_numbers_that_floats_cannot_hold_are_kept(open_shop: OpenShop) -> None:
    shop = open_shop()
    shop.give("a.csv", line("a", 2**53 + 1))
    shop = open_shop(n="float")
    with pytest.raises(DataError, match=r"too large for float.*'n': 1.*keep the type int"):
        shop.give("b.csv", line("c", 2.5))
    assert shop.rows() == [("a", 2**53 + 1)]


def test_another_type_is_refused_with_both_names_and_hurts_no_other_file(
    open_shop: OpenShop, caplog: pytest.LogCaptureFixture
) -> None:
    shop = open_shop(n="float")
    shop.give("a.csv", line("a", 1.5))
    shop = open_shop(n="int")
    bad = shop.land("b.csv", line("b", 2))
    shop.judge()
    shop = open_shop(n="float")
    good = shop.land("c.csv", line("c", 2.5))
    shop.judge()
    (made,) = publish(shop.env, "shop", [bad, good])
    assert made.sha256 == good
    assert "n is double in the table and int64" in caplog.text
    with pytest.raises(DataError, match="n is double in the table and int64 by the contract"):
        publish(shop.env, "shop", [bad])


def test_killed_between_the_two_commits_and_run_again(
    open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = open_shop(evolve="add_columns")
    shop.give("a.csv", line("a", 1))
    sha = shop.land("b.csv", line("b", 2, "x"), header="id,at,n,colour")
    shop.judge()
    for kind in ("schema_change", "dataset_version"):
        append = shop.env.ledger.append

        def dying(at: str, *args: Any, kind: str = kind, append: Any = append, **more: Any) -> Any:
            if at == kind:
                raise KeyboardInterrupt
            return append(at, *args, **more)

        with monkeypatch.context() as patch:
            patch.setattr(shop.env.ledger, "append", dying)
            with pytest.raises(KeyboardInterrupt):
                publish(shop.env, "shop", [sha])
    (made,) = publish(shop.env, "shop", [sha])
    assert shop.rows(columns=("id", "colour")) == [("a", None), ("b", "x")]
    assert made.columns_added == ("colour",)
    assert len(changes(shop)) == 1
