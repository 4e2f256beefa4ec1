"""The rows of a comparison: unseen by key, by time and by group, for every kind of split."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from trimtab.evaluation import fingerprints, holdout
from trimtab.types import ROLE, TARGET, FeatureSet, Rule

START = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = pl.DataFrame(
    {
        "id": range(40),
        "who": [f"w{i // 4}" for i in range(40)],
        "km": [i / 7 for i in range(40)],
        TARGET: [0.0, 1.0] * 20,
    }
)


def overlap(lake: Path, ours: FeatureSet, champion: FeatureSet | None, key: list[str]) -> Rule:
    others = {"the champion": champion} if champion else {}
    return holdout.overlap(lake, ours, {"the challenger": ours, **others}, key)


@pytest.fixture
def stored(tmp_path: Path) -> Any:
    def write(name: str, held: pl.Expr, rows: pl.DataFrame = ROWS, **known: Any) -> FeatureSet:
        role = pl.when(held).then(pl.lit("holdout")).otherwise(pl.lit("train")).alias(ROLE)
        rows = rows.with_columns(role)
        rows.write_parquet(tmp_path / name)
        listed = fingerprints.listed(rows.filter(pl.col(ROLE) == "holdout"))
        pl.DataFrame({fingerprints.COLUMN: listed}).write_parquet(
            fingerprints.path(tmp_path / name)
        )
        return FeatureSet(
            model="m",
            key=name,
            uri=name,
            holdout_sha256=fingerprints.sha256(listed),
            task="binary",
            numeric=("km",),
            train_rows=1,
            holdout_rows=1,
            **known,
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


def test_copies_under_new_keys_are_found_by_what_they_say(tmp_path: Path, stored: Any) -> None:
    new = pl.col("id") >= 30
    again = ROWS.filter(new).with_columns(id=pl.col("id") + 1000)  # of rows that are judged
    rows = pl.concat([ROWS, again])
    rule = overlap(tmp_path, stored("a", new & (pl.col("id") < 1000), rows), None, ["id"])
    assert (rule.passed, rule.value) == (False, 10)
    assert "the challenger was trained on copies of them under other keys" in rule.reason


def test_rows_that_are_alike_by_nature_are_no_copies(tmp_path: Path, stored: Any) -> None:
    alike = ROWS.with_columns(km=pl.col("id") % 3 / 7)
    assert overlap(tmp_path, stored("a", pl.col("id") >= 30, alike), None, ["id"]).passed


def test_what_the_search_began_with_counts_as_seen(tmp_path: Path, stored: Any) -> None:
    ours, older = stored("a", pl.col("id") >= 30), stored("b", pl.col("id") >= 35)
    learners = {"the challenger": ours, "the search before the challenger": older}
    rule = holdout.overlap(tmp_path, ours, learners, ["id"])
    assert (rule.passed, rule.value) == (False, 5)
    assert "the search before the challenger was trained on them" in rule.reason


def test_frozen_rows_are_those_of_the_list(tmp_path: Path, stored: Any) -> None:
    known = stored("a", pl.col("id") >= 30)
    assert holdout.frozen(tmp_path, known).passed
    unlisted = holdout.frozen(tmp_path, known.model_copy(update={"holdout_sha256": ""}))
    assert not unlisted.passed
    assert "no list was made before the training" in unlisted.reason


@pytest.mark.parametrize(
    ("held", "changed", "said"),
    [
        (pl.col("id") >= 29, ROWS, "1 of 11 rows are not on the list of 10"),
        (pl.col("id") >= 31, ROWS, "0 of 9 rows are not on the list of 10"),
        (pl.col("id") >= 30, ROWS.with_columns(_target=1 - ROWS[TARGET]), "10 of 10 rows"),
    ],
)
def test_other_rows_than_listed_are_refused(
    tmp_path: Path, stored: Any, held: pl.Expr, changed: pl.DataFrame, said: str
) -> None:
    known = stored("a", pl.col("id") >= 30)
    role = pl.when(held).then(pl.lit("holdout")).otherwise(pl.lit("train")).alias(ROLE)
    changed.with_columns(role).write_parquet(tmp_path / "a")
    rule = holdout.frozen(tmp_path, known)
    assert not rule.passed
    assert said in rule.reason
    fingerprints.path(tmp_path / "a").unlink()
    assert "the list is gone" in holdout.frozen(tmp_path, known).reason
