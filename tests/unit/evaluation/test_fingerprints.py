"""A fingerprint is what a row says: not its place, not its file, not the type's width."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from trimtab.evaluation import fingerprints
from trimtab.types import FILE, ROLE

AT = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = pl.DataFrame(
    {
        "id": [1, 2, 3, 4],
        "km": [1.5, None, float("nan"), -0.0],
        "zone": ["a", "b", None, "a"],
        "ok": [True, False, None, True],
        "at": [AT, None, AT, AT],
    }
)
NAMES = ("id", "km", "zone", "ok", "at")


def test_the_hash_is_written_down() -> None:
    """Lists outlive libraries and machines: these numbers may never change."""
    assert [f"{each:016x}" for each in fingerprints.of(ROWS, NAMES)] == [
        "fe8458f86d696436",
        "ff76cc6d03c94c59",
        "13263c35f4bf92e7",
        "61ab0ae09ad89217",
    ]


def test_order_of_rows_and_columns_says_nothing() -> None:
    known = fingerprints.of(ROWS, NAMES)
    turned = fingerprints.of(ROWS.reverse().select(reversed(NAMES)), reversed(NAMES))  # type: ignore[arg-type]
    assert (turned[::-1] == known).all()


def test_width_zero_and_categories_say_nothing() -> None:
    same = ROWS.with_columns(
        pl.col("id").cast(pl.Int16),
        pl.col("km").cast(pl.Float32) + 0.0,
        pl.col("zone").cast(pl.Categorical),
        pl.col("at").dt.cast_time_unit("ms"),
    )
    assert (fingerprints.of(same, NAMES) == fingerprints.of(ROWS, NAMES)).all()


@pytest.mark.parametrize("name", NAMES)
def test_any_value_changes_its_row_alone(name: str) -> None:
    changed = ROWS.with_columns(
        pl.when(pl.col("id") == 1).then(pl.col(name).shift(-1)).otherwise(pl.col(name)).alias(name)
    )
    same = fingerprints.of(changed, NAMES) == fingerprints.of(ROWS, NAMES)
    assert same.tolist() == [False, True, True, True]


def test_a_list_leaves_out_where_rows_came_from() -> None:
    told = ROWS.with_columns(pl.lit("sha").alias(FILE), pl.lit("holdout").alias(ROLE))
    one, other = fingerprints.listed(ROWS), fingerprints.listed(told.reverse())
    assert fingerprints.sha256(one) == fingerprints.sha256(other)
    assert fingerprints.sha256(one) != fingerprints.sha256(one[:-1])


def test_a_hundred_thousand_rows_are_all_told_apart() -> None:
    rows = pl.DataFrame({"a": np.arange(100_000), "b": np.arange(100_000) % 7 / 10})
    assert len(np.unique(fingerprints.of(rows, ("a", "b")))) == 100_000
    assert fingerprints.of(rows.clear(), ("a", "b")).shape == (0,)
