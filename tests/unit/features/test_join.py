"""Joins against a row-by-row oracle; the future never reaches the past."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.config.model import Join
from trimtab.features.join import ORDER, bring
from trimtab.types import ROW

START = datetime(2026, 1, 1, tzinfo=UTC)
AS_OF = Join(dataset="air", on=("zone",), as_of="at", max_age="3h")
EQUAL = Join(dataset="air", on={"zone": "area"})
moments = st.integers(0, 12).map(lambda h: START + timedelta(hours=h))
zones = st.sampled_from(["n", "s", None])
left_rows = st.lists(st.tuples(zones, st.one_of(st.none(), moments)), max_size=15)
right_rows = st.lists(st.tuples(zones, moments, st.integers(0, 9), st.integers(0, 2)), max_size=25)


def left(rows: list[tuple[Any, Any]]) -> pl.DataFrame:
    schema = {"zone": pl.String, "at": pl.Datetime("us", "UTC")}
    return pl.DataFrame(rows, schema=schema, orient="row").with_row_index("id")


def right(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    schema = {
        "area": pl.String,
        "hour": pl.Datetime("us", "UTC"),
        "rain": pl.Int64,
        ORDER: pl.Int64,
    }
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return frame.with_row_index(ROW).with_columns(zone="area")


def joined(ours: pl.DataFrame, theirs: pl.DataFrame, join: Join) -> pl.DataFrame:
    return ours.hstack(bring(ours, join, theirs.lazy(), {"rain": "air_rain"}, time="hour"))


def oracle(row: dict[str, Any], theirs: pl.DataFrame, join: Join) -> Any:
    """The newest matching row, looked for one by one."""
    fits = [r for r in theirs.iter_rows(named=True) if r["area"] and r["area"] == row["zone"]]
    if join.as_of:
        if row["at"] is None or join.max_age is None:
            return None
        fits = [r for r in fits if row["at"] - join.max_age <= r["hour"] <= row["at"]]
    best = max(fits, key=lambda r: (r["hour"], r[ORDER], r[ROW]), default=None)
    return best["rain"] if best else None


@pytest.mark.parametrize("join", [AS_OF, EQUAL], ids=["as_of", "equal"])
@settings(max_examples=60, deadline=None)
@given(left_rows, right_rows)
def test_equals_the_oracle(join: Join, ours: Any, theirs: Any) -> None:
    rows, table = left(ours), right(theirs)
    result = joined(rows, table, join)
    assert result.columns == [*rows.columns, "air_rain"]
    assert result.drop("air_rain").equals(rows)  # same rows, same order
    assert result["air_rain"].to_list() == [oracle(r, table, join) for r in rows.to_dicts()]


@settings(max_examples=40, deadline=None)
@given(left_rows, right_rows, right_rows, moments)
def test_later_rows_change_nothing_earlier(ours: Any, theirs: Any, other: Any, now: Any) -> None:
    rows = left([row for row in ours if row[1] is None or row[1] < now])
    past = [row for row in theirs if row[1] < now]
    changed = past + [row for row in other if row[1] >= now]
    kept = past + [row for row in theirs if row[1] >= now]
    assert joined(rows, right(kept), AS_OF).equals(joined(rows, right(changed), AS_OF))


def test_a_tie_is_broken_by_file_then_position() -> None:
    theirs = right([("n", START, 1, 1), ("n", START, 2, 0), ("n", START, 3, 1)])
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        assert joined(left([("n", START)]), theirs[order], AS_OF)["air_rain"].to_list() == [3]


def test_max_age_is_inclusive_and_counts() -> None:
    theirs = right([("n", START, 7, 0)])
    times = [("n", START + timedelta(hours=3)), ("n", START + timedelta(hours=3, microseconds=1))]
    assert joined(left(times), theirs, AS_OF)["air_rain"].to_list() == [7, None]
