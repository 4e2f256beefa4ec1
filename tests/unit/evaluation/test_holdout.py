"""The rows of a comparison: unseen by key, by time and by group, for every kind of split."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from trimtab.evaluation.holdout import overlap
from trimtab.types import ROLE, FeatureSet

START = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = pl.DataFrame({"id": range(40), "who": [f"w{i // 4}" for i in range(40)]})


@pytest.fixture
def stored(tmp_path: Path) -> Any:
    def write(name: str, held: pl.Expr, **known: Any) -> FeatureSet:
        role = pl.when(held).then(pl.lit("holdout")).otherwise(pl.lit("train")).alias(ROLE)
        ROWS.with_columns(role).write_parquet(tmp_path / name)
        return FeatureSet(
            model="m", key=name, uri=name, task="binary", train_rows=1, holdout_rows=1, **known
        )

    return write


def test_groups_of_the_holdout_were_not_trained_on(tmp_path: Path, stored: Any) -> None:
    ours = stored("a", pl.col("who").is_in(["w0", "w1"]), group="who")
    assert overlap(tmp_path, ours, None, ["id"]).passed
    assert overlap(tmp_path, ours, ours, ["id"]).passed
    other = stored("b", pl.col("who").is_in(["w1", "w2"]), group="who")
    rule = overlap(tmp_path, ours, other, ["id"])
    assert (rule.passed, rule.value) == (False, 4)
    assert "trained on rows of their who" in rule.reason


def test_rows_of_a_trained_group_are_seen_even_under_new_keys(tmp_path: Path, stored: Any) -> None:
    torn = stored("a", pl.col("id") % 4 == 0, group="who")  # one row of every group is held out
    rule = overlap(tmp_path, torn, None, ["id"])
    assert (rule.passed, rule.value) == (False, 10)
    assert overlap(tmp_path, torn.model_copy(update={"group": None}), None, ["id"]).passed


@pytest.mark.parametrize(
    ("mine", "theirs", "said"),
    [
        ({"group": "who"}, {}, "split by who and the champion by a share of the rows"),
        ({"group": "who"}, {"group": "id"}, "split by who and the champion by id"),
        ({}, {"train_until": START}, "by a share of the rows and the champion by time"),
    ],
)
def test_two_kinds_of_split_are_no_comparison(
    tmp_path: Path, stored: Any, mine: Any, theirs: Any, said: str
) -> None:
    held = pl.col("who").is_in(["w0"])
    rule = overlap(tmp_path, stored("a", held, **mine), stored("b", held, **theirs), ["id"])
    assert not rule.passed
    assert said in rule.reason


def test_by_time_a_later_holdout_is_fine_and_an_earlier_one_is_not(
    tmp_path: Path, stored: Any
) -> None:
    old = stored("a", pl.col("id") >= 20, train_until=START)
    new = stored("b", pl.col("id") >= 30, train_until=START + timedelta(days=1))
    assert overlap(tmp_path, new, old, ["id"]).passed
    rule = overlap(tmp_path, old, new, ["id"])
    assert (rule.passed, rule.value) == (False, 10)
    assert "the champion was trained until 2026-01-02" in rule.reason
