from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from trimtab.monitoring import profile
from trimtab.monitoring.profile import ReferenceProfile


def test_every_row_is_in_exactly_one_bin() -> None:
    frame = pl.DataFrame(
        {
            "x": [*np.random.default_rng(0).normal(size=996), None, float("nan"), 1e9, -1e9],
            "c": ["a"] * 500 + ["b"] * 300 + [None] * 200,
        }
    )
    built = profile.build(frame, {"x": "numeric", "c": "categorical"})
    assert len(built["x"].edges) == 9
    assert sum(built["x"].counts) == 998
    assert built["x"].nulls == 2, "NaN is no value"
    assert built["c"].categories == ("a", "b")
    assert built["c"].counts == (500, 300, 0)
    assert built["c"].nulls == 200


def test_counts_equal_numpys_histogram() -> None:
    reference = np.random.default_rng(1).gamma(2, size=5000)
    current = np.random.default_rng(2).gamma(3, size=700)
    bins = profile.build(pl.DataFrame({"x": reference}), {"x": "numeric"})
    seen = profile.measure(pl.DataFrame({"x": current}), bins)["x"]
    # numpy's bins are closed on the left, ours on the right
    edges = [-np.inf, *bins["x"].edges, np.inf]
    expected = np.histogram(-current, [-e for e in reversed(edges)])[0][::-1]
    assert seen.counts == tuple(expected)
    assert seen.mean == pytest.approx(current.mean())


def test_a_column_of_few_values_has_a_bin_for_each() -> None:
    built = profile.build(pl.DataFrame({"x": [1] * 90 + [2] * 9 + [4]}), {"x": "numeric"})
    assert built["x"].edges == (1.0, 2.0)
    assert built["x"].counts == (90, 9, 1)


def test_mostly_zero_keeps_the_rest_apart() -> None:
    values = [0.0] * 950 + [float(i) for i in range(1, 51)]
    built = profile.build(pl.DataFrame({"rain": values}), {"rain": "numeric"})
    assert built["rain"].counts == (950, 50)


def test_infinity_falls_into_the_open_bins() -> None:
    bins = profile.build(pl.DataFrame({"x": [float(i) for i in range(100)]}), {"x": "numeric"})
    seen = profile.measure(pl.DataFrame({"x": [float("inf"), float("-inf"), 5.0]}), bins)["x"]
    assert sum(seen.counts) == 3
    assert seen.counts[0] == 2
    assert seen.counts[-1] == 1
    assert seen.mean == 5.0
    assert seen.high == 5.0


def test_rare_and_new_categories_are_other() -> None:
    many = [f"c{i}" for i in range(30) for _ in range(40 - i)]
    bins = profile.build(pl.DataFrame({"c": many}), {"c": "categorical"})
    assert len(bins["c"].categories) == profile.CATEGORIES
    seen = profile.measure(pl.DataFrame({"c": ["c0", "new", "new", "c29"]}), bins)["c"]
    assert seen.counts[0] == 1
    assert seen.counts[-1] == 3
    assert seen.unlisted == ("new", "c29")


def test_a_time_is_its_hour() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    times = [start + timedelta(hours=i) for i in range(240)]
    built = profile.build(pl.DataFrame({"t": times}), {"t": "hour"})["t"]
    later = [time + timedelta(days=30) for time in times]
    seen = profile.measure(pl.DataFrame({"t": later}), {"t": built})["t"]
    assert seen.counts == built.counts, "the calendar moving on is no drift"


@pytest.mark.parametrize("name", ["count", "value", "rows", "a b", "x\ny"])
def test_any_column_name_will_do(name: str) -> None:
    built = profile.build(pl.DataFrame({name: ["a", "b", "b"]}), {name: "categorical"})
    assert built[name].counts == (2, 1, 0)


def test_unreadable_columns_are_left_out_with_a_reason() -> None:
    bins = profile.build(
        pl.DataFrame({"x": [1.0, 2.0], "y": [1.0, 2.0]}), dict.fromkeys("xy", "numeric")
    )
    now = pl.DataFrame({"x": ["one", "two"]})
    assert profile.measure(now, bins) == {}
    assert profile.unreadable("numeric", now.schema["x"]) == "numeric in the reference, String now"
    assert profile.unreadable("numeric", now.schema.get("y")) == "the column is absent"


def test_no_rows_at_all() -> None:
    bins = profile.build(pl.DataFrame({"x": [1.0, 2.0]}), {"x": "numeric"})
    seen = profile.measure(pl.DataFrame({"x": []}, schema={"x": pl.Float64}), bins)["x"]
    assert seen.rows == 0
    assert seen.null_share == 0


def test_json_both_ways() -> None:
    columns = profile.build(
        pl.DataFrame({"x": [1.0, None, 3.0], "c": ["<b>", "ü", None]}),
        {"x": "numeric", "c": "categorical"},
    )
    built = ReferenceProfile(model="m", version=1, key="k", rows=3, columns=columns)
    assert ReferenceProfile.model_validate_json(built.model_dump_json()) == built
