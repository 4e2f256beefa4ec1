"""Going back makes a new version; files whose rows left stay known."""

from collections.abc import Callable
from typing import Any

import pytest

from trimtab.adapters import delta, delta_files
from trimtab.errors import DataError, NotReadyError
from trimtab.stages.backlog import unpublished
from trimtab.stages.ingest import discover, ingest
from trimtab.stages.revert import revert


class KilledError(BaseException):
    """Stands for SIGKILL: nothing catches it."""


def line(key: str, n: object = 1) -> str:
    return f"{key},2013-01-05T00:00:00Z,{n}"


@pytest.fixture
def two(shop: Any) -> Any:
    shop.give("a.csv", line("a"), line("b"))
    shop.give("b.csv", line("c"), line("d"))
    return shop


def back(shop: Any, version: int, reason: str = "wrong feed") -> Any:
    return revert(shop.env, "shop", version, reason=reason, actor="ann")


def test_a_revert_is_a_new_version_with_the_old_content(two: Any) -> None:
    first = two.env.ledger.events("dataset_version", "shop")[0].payload
    before = {f.name for f in (two.env.lake / "datasets/shop").glob("*.parquet")}
    made = back(two, 0)
    assert (made.version, made.operation, made.target, made.actor) == (2, "revert", 0, "ann")
    assert (made.rows_removed, made.rows_added, made.total_rows) == (2, 0, 2)
    assert made.content == first["content"]
    assert two.rows() == [("a", 1), ("b", 1)]
    assert two.rows(1) == [("a", 1), ("b", 1), ("c", 1), ("d", 1)]
    assert {f.name for f in (two.env.lake / "datasets/shop").glob("*.parquet")} == before


def test_a_revert_asked_twice_is_one(two: Any) -> None:
    assert back(two, 0) == back(two, 0)
    assert delta.version(two.env.table("shop")) == 2
    again = back(two, 1, "it was right after all")
    assert (again.version, two.rows()) == (3, two.rows(1))


def test_a_revert_killed_after_its_commit_is_told_once(
    two: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(two.env.ledger, "append", _die)
        with pytest.raises(KilledError):
            back(two, 0)
    made = back(two, 0)
    assert (made.version, delta.version(two.env.table("shop")), made.rows_removed) == (2, 2, 2)


def test_a_reverted_file_does_not_come_back_by_itself(two: Any) -> None:
    back(two, 0)
    assert unpublished(two.env, "shop") == []
    two.land("b2.csv", line("c"), line("d"))
    (file,) = discover(two.env, "shop")
    assert ingest(two.env, file).reason == "duplicate_noop"
    corrected = two.give("b.csv", line("c", 2), line("d"))
    assert (corrected.operation, corrected.rows_added) == ("append", 2)


def test_nothing_to_revert_is_said(two: Any) -> None:
    with pytest.raises(NotReadyError, match="same rows"):
        back(two, 1)
    with pytest.raises(NotReadyError, match="versions: 0, 1"):
        back(two, 7)
    with pytest.raises(NotReadyError, match="needs a reason"):
        back(two, 0, " ")


def test_a_version_whose_files_are_gone_cannot_come_back(
    open_shop: Callable[..., Any],
) -> None:
    shop = open_shop("upsert")
    shop.give("a.csv", line("a"))
    shop.give("b.csv", line("a", 2))
    (name,) = delta_files.files(shop.env.table("shop"), 0)
    shop.env.store.delete(f"datasets/shop/{name}")
    with pytest.raises(DataError, match="retention has removed 1 of its files"):
        back(shop, 0)
    assert shop.rows() == [("a", 2)]


def _die(*_args: Any, **_kwargs: Any) -> Any:
    raise KilledError
