"""Roles: by time the newest days, by key the same side for ever."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from trimtab.features import split
from trimtab.types import ROLE

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_by_time_holds_out_the_newest_days() -> None:
    rows = pl.DataFrame({"at": [START + timedelta(days=d) for d in range(10)]})
    cut = split.cut(rows, "at", START + timedelta(days=9), timedelta(days=3))
    roles = split.by_time(rows, "at", cut)[ROLE]
    assert roles.to_list() == ["train"] * 6 + ["holdout"] * 4


def test_a_key_keeps_its_side_in_any_order_and_company() -> None:
    rows = pl.DataFrame({"a": ["x", "y", None] * 200, "b": range(600)})
    whole = split.by_key(rows, ["a", "b"], 0.2)
    half = split.by_key(rows.reverse().head(300), ["a", "b"], 0.2)
    assert half.sort("b").equals(whole.filter(pl.col("b") >= 300).sort("b"))
    assert whole[ROLE].eq("holdout").mean() == pytest.approx(0.2, abs=0.06)


def test_the_hash_is_the_documented_one() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    rows = pl.DataFrame({"a": ["x"], "b": [1], "t": [at]})
    first = split.shares(rows, ["a", "b", "t"])
    assert first == [split._share("x\x1f1\x1f1767225600000000")]
    assert split.shares(rows, ["a"]) == [0.29246922768054995]


def test_separator_keeps_keys_apart() -> None:
    rows = pl.DataFrame({"a": ["x1", "x"], "b": ["2", "12"]})
    one, two = split.shares(rows, ["a", "b"])
    assert one != two
