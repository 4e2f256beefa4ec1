"""The join of a feature view against a row-by-row oracle; nothing that is not known yet leaks."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.config.dataset import DatasetSpec
from trimtab.config.view import FeatureView
from trimtab.features import join, point_in_time, views
from trimtab.features.join import ORDER
from trimtab.types import ROW

START = datetime(2026, 1, 1, tzinfo=UTC)
DATASET = DatasetSpec.model_validate(
    {
        "dataset": "air",
        "owner": "me",
        "source": {"kind": "files", "uri": "landing/air"},
        "key": ["n"],
        "time": "hour",
        "columns": {
            "n": {"type": "int"},
            "zone": {"type": "category", "nullable": True},
            "floor": {"type": "int", "nullable": True},
            "hour": {"type": "time", "nullable": True},
            "told": {"type": "time", "nullable": True},
            "rain": {"type": "int", "nullable": True},
        },
    }
)
BASE = {"view": "w", "owner": "me", "from": "air", "columns": ["n", "rain"]}
VIEWS = {
    "known": {"entity": ["zone"], "known": "told"},
    "known and young": {"entity": ["zone"], "known": "told", "max_age": "3h"},
    "delayed": {"entity": ["floor"], "delay": "2h", "max_age": "5h"},
    "plain": {"entity": ["zone"]},
    "two keys": {"entity": ["zone", "floor"], "known": "told"},
}
fine = st.integers(0, 10**6).map(lambda us: START + timedelta(microseconds=us * 7919))
# Few moments and few entities, so that rows meet; now and then a null.
moments = st.integers(-1, 9).map(lambda h: START + timedelta(hours=h) if h >= 0 else None)
zones, floors = st.sampled_from(["n", "n", "n", "s", None]), st.sampled_from([0, 0, 0, 7, None])
asked = st.lists(st.tuples(zones, floors, st.one_of(moments, fine)), max_size=10)
told = st.lists(
    st.tuples(zones, floors, moments, moments, st.sampled_from([None, 1, 2]), st.integers(0, 2)),
    min_size=4,
    max_size=14,
)


def view_of(name: str) -> FeatureView:
    return FeatureView.model_validate(BASE | VIEWS[name])


def rows_of(rows: list[Any]) -> pl.DataFrame:
    schema = {"zone": pl.String, "floor": pl.Int64, "at": pl.Datetime("us", "UTC")}
    return pl.DataFrame(rows, schema=schema, orient="row")


def table_of(rows: list[Any]) -> pl.DataFrame:
    time = pl.Datetime("us", "UTC")
    schema = {"zone": pl.String, "floor": pl.Int64, "hour": time, "told": time, "rain": pl.Int64}
    frame = pl.DataFrame(rows, schema={**schema, ORDER: pl.Int64}, orient="row")
    return frame.with_row_index("n").with_columns(
        pl.col("n").cast(pl.Int64), pl.col("n").alias(ROW)
    )


def joined(rows: pl.DataFrame, table: pl.DataFrame, view: FeatureView) -> list[Any]:
    there = views.all_rows(view, DATASET, table.lazy())
    found = point_in_time.match(
        rows,
        list(view.entity),
        "at",
        there,
        list(view.entity),
        views.TIME,
        views.KNOWN if view.known or view.delay else None,
        order=(ORDER, ROW),
        max_age=view.max_age,
    )
    return join.taken(there, found, ["n"])["n"].to_list()


def oracle(
    row: dict[str, Any], table: pl.DataFrame, view: FeatureView, *, naive: bool = False
) -> Any:
    """Look at every row of the table, one by one, as the words of the docs say."""
    best: tuple[Any, ...] | None = None
    for each in table.to_dicts():
        entity = [each[name] for name in view.entity]
        happened = each["hour"]
        known = each["told"] if view.known else happened and happened + view.delay
        if None in entity or happened is None or known is None or row["at"] is None:
            continue
        if entity != [row[name] for name in view.entity] or happened > row["at"]:
            continue
        if known > row["at"] and not naive:
            continue
        rank = (happened, known, each[ORDER], each[ROW], each["n"])
        best = rank if best is None or rank > best else best
    if best is None or (view.max_age is not None and row["at"] - best[0] > view.max_age):
        return None
    return best[-1]


@pytest.mark.parametrize("name", VIEWS)
@settings(max_examples=60, deadline=None)
@given(asked, told)
def test_equals_the_oracle(name: str, ours: Any, theirs: Any) -> None:
    rows, table, view = rows_of(ours), table_of(theirs), view_of(name)
    assert joined(rows, table, view) == [oracle(row, table, view) for row in rows.to_dicts()]


@pytest.mark.parametrize("name", VIEWS)
@settings(max_examples=30, deadline=None)
@given(told, told, fine)
def test_what_is_later_changes_nothing(name: str, theirs: Any, other: Any, now: Any) -> None:
    """Rows that happen or become known after a moment are exchanged for any others."""
    view = view_of(name)
    rows = rows_of([(zone, floor, now) for zone in ("n", "s") for floor in (0, 1, 7)])
    assert joined(rows, table_of(theirs), view) == joined(
        rows, mixed(theirs, other, now, view), view
    )


def mixed(theirs: Any, other: Any, now: datetime, view: FeatureView) -> pl.DataFrame:
    """``theirs`` with every row of the future of ``now`` replaced by one of ``other``'s future."""
    later = [row for row in other if future(row, now, view)] or [("n", 0, None, None, 1, 0)]
    kept = [
        later[i % len(later)] if future(row, now, view) else row for i, row in enumerate(theirs)
    ]
    return table_of([*kept, *later])


def future(row: tuple[Any, ...], now: datetime, view: FeatureView) -> bool:
    known = row[3] if view.known else row[2] and row[2] + view.delay
    return row[2] is None or known is None or max(row[2], known) > now


def test_a_late_correction_is_seen_when_it_was_known_and_a_naive_join_leaks_it() -> None:
    at = [START + timedelta(hours=h) for h in (2, 5)]
    first = ("n", 0, START, START, 1, 0)
    corrected = ("n", 0, START, START + timedelta(hours=4), 2, 1)
    rows, table, view = (
        rows_of([("n", 0, t) for t in at]),
        table_of([first, corrected]),
        view_of("known"),
    )
    assert joined(rows, table, view) == [0, 1]
    assert [oracle(row, table, view, naive=True) for row in rows.to_dicts()] == [1, 1]
    naive = point_in_time.match(rows, ["zone"], "at", table, ["zone"], "hour", order=(ORDER, ROW))
    assert naive.to_list() == [1, 1]  # without the known time the correction is in the past


def test_an_old_fact_that_comes_late_hides_no_newer_one() -> None:
    newer = ("n", 0, START + timedelta(hours=3), START + timedelta(hours=3), 1, 0)
    older = ("n", 0, START, START + timedelta(hours=4), 2, 1)
    rows, table = rows_of([("n", 0, START + timedelta(hours=5))]), table_of([newer, older])
    assert joined(rows, table, view_of("known")) == [0]


def test_max_age_is_inclusive_and_looks_at_the_event() -> None:
    table = table_of([("n", 0, START, START + timedelta(hours=2), 1, 0)])
    at = [timedelta(hours=3), timedelta(hours=3, microseconds=1), timedelta(hours=1)]
    rows = rows_of([("n", 0, START + t) for t in at])
    assert joined(rows, table, view_of("known and young")) == [0, None, None]


def test_times_and_entities_too_many_for_one_number_are_ranked() -> None:
    """200 entities times 10,000 years of microseconds do not fit into 64 bits."""
    far = [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)]
    theirs = [("n", k, far[k % 2], far[k % 2], k, 0) for k in range(200)]
    rows, table = rows_of([("n", k, far[1]) for k in range(200)]), table_of(theirs)
    view = FeatureView.model_validate(BASE | {"entity": ["floor"], "known": "told"})
    assert joined(rows, table, view) == list(range(200))
    early = rows.with_columns(at=pl.lit(far[0]).cast(pl.Datetime("us", "UTC")))
    assert joined(early, table, view) == [k if k % 2 == 0 else None for k in range(200)]
