"""Whole windows stay quiet, and every fault that was planted is named; nothing is mocked."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from trimtab.config.monitor import Monitor
from trimtab.monitoring import budget, quality, wholeness
from trimtab.monitoring.profile import Kind
from trimtab.monitoring.quality import Delivery
from trimtab.monitoring.wholeness import Wholeness
from trimtab.watch import Finding

START = datetime(2026, 1, 1, tzinfo=UTC)
KINDS: dict[str, Kind] = {
    "x": "numeric", "n": "numeric", "city": "categorical", "sku": "categorical", "at": "hour",
}  # fmt: skip
SETTINGS = Monitor()


def rows(count: int, seed: int) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    x = [None if gap else value for gap, value in zip(
        draw.random(count) < 0.05, draw.normal(15, 5, count), strict=True)]  # fmt: skip
    return pl.DataFrame(
        {
            "x": x,
            "n": draw.integers(0, 100, count),
            "city": draw.choice(["oslo", "bern", "rome"], count),
            "sku": [f"s{i}" for i in draw.zipf(1.5, count)],
            "at": [START + timedelta(minutes=10 * (i + seed * count)) for i in range(count)],
        }
    )


@pytest.fixture(scope="module")
def usual() -> Wholeness:
    return wholeness.build(rows(8_000, 0), KINDS, time="at", identity=["x", "n", "city", "at"])


def judged(usual: Wholeness, window: pl.DataFrame) -> dict[str, Finding]:
    seen = wholeness.measure(window, usual)
    found = list(quality.columns(usual, seen, SETTINGS))
    return {f.name.removeprefix("quality:"): f for f in budget.judged(found, SETTINGS, 0.01)}


def moved(found: dict[str, Finding]) -> set[str]:
    return {name for name, finding in found.items() if finding.status == "moved"}


def test_a_whole_window_is_quiet_whatever_its_size(usual: Wholeness) -> None:
    for count in (100, 1_000, 5_000, 20_000):
        found = judged(usual, rows(count, 1))
        assert moved(found) == set(), count
        assert "sku new_categories" in found, "new ones come all the time"


FAULTS: dict[str, tuple[pl.Expr, set[str]]] = {
    "gaps": (pl.when(pl.int_range(pl.len()) % 7 == 0).then(None).otherwise("x").alias("x"), {"x missing"}),
    "no gaps": (pl.col("x").fill_null(0.0), {"x missing"}),
    "nan": (pl.when(pl.int_range(pl.len()) % 7 == 0).then(float("nan")).otherwise("x").alias("x"), {"x missing"}),
    "all gone": (pl.lit(None, dtype=pl.Float64).alias("x"), {"x missing"}),
    "unit": (pl.col("x") * 10, {"x range"}),
    "infinity": (pl.when(pl.int_range(pl.len()) % 20 == 0).then(float("inf")).otherwise("x").alias("x"), {"x range"}),
    "renamed": (pl.col("city").str.to_uppercase(), {"city new_categories"}),
    "text": (pl.lit("warm").alias("x"), {"x type"}),
    "list": (pl.concat_list("x").alias("x"), {"x type"}),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_named_and_nothing_else(usual: Wholeness, fault: str) -> None:
    change, named = FAULTS[fault]
    assert moved(judged(usual, rows(1_000, 1).with_columns(change))) == named


def test_an_absent_column_is_of_another_type(usual: Wholeness) -> None:
    found = judged(usual, rows(1_000, 1).drop("city"))
    assert moved(found) == {"city type"}
    assert found["city type"].note == "the column is absent"


def test_new_values_are_told(usual: Wholeness) -> None:
    window = rows(1_000, 1).with_columns(pl.col("city").replace("oslo", "<b>"))
    assert judged(usual, window)["city new_categories"].note.endswith("such as '<b>'")


def test_rows_that_came_twice(usual: Wholeness) -> None:
    window = rows(1_000, 1)
    found = judged(usual, pl.concat([window, window.head(100)]))
    assert moved(found) == {"duplicates"}


def test_rows_that_are_alike_anyway_are_no_duplicates() -> None:
    kinds: dict[str, Kind] = {"n": "numeric", "city": "categorical"}
    alike = wholeness.build(rows(3_000, 0), kinds, time=None, identity=["n", "city"])
    for count in (300, 1_000, 20_000):
        assert moved(judged(alike, rows(count, 1))) == set(), count


def test_a_time_that_is_a_feature_too_counts_once() -> None:
    kinds: dict[str, Kind] = {"at": "hour", "x": "numeric"}
    built = wholeness.build(rows(3_000, 0), kinds, time="at", identity=["x", "at", "at"])
    assert built.identity == ("x", "at")
    assert moved(judged(built, rows(1_000, 1))) == set()


def test_a_calendar_may_move_on_and_a_constant_may_change() -> None:
    """A model that learnt from the first months meets the others without a fault."""
    first, later = (
        pl.DataFrame({"month": sorted(months * 500), "same": [value] * 1_500, "x": range(1_500)})
        for months, value in (([1, 2, 3], 1.0), ([8, 9, 10], 2.0))
    )
    kinds: dict[str, Kind] = {"month": "numeric", "same": "numeric"}
    built = wholeness.build(first, kinds, time=None, identity=["x"])
    assert moved(judged(built, later)) == set()


def test_few_rows_and_no_rows(usual: Wholeness) -> None:
    for count in (0, 1, 99):
        found = judged(usual, rows(100, 1).head(count))
        assert {finding.status for finding in found.values()} == {"not_enough_data"}


def test_odd_references_judge_nothing_wrongly() -> None:
    odd = pl.DataFrame(
        {
            "x": pl.Series([None] * 200, dtype=pl.Float64),
            "n": [7] * 200,
            "city": pl.Series([None] * 200, dtype=pl.String),
        }
    )
    kinds: dict[str, Kind] = {"x": "numeric", "n": "numeric", "city": "categorical"}
    built = wholeness.build(odd, kinds, time=None, identity=["x", "n", "city"])
    assert moved(judged(built, odd)) == set()
    empty = wholeness.build(odd.clear(), kinds, time=None, identity=["x"])
    assert moved(judged(empty, odd)) == set()
    again = Wholeness.model_validate_json(built.model_dump_json())
    assert again == built, "it is kept as a file"


def test_a_scanned_file_is_measured_alike(usual: Wholeness, tmp_path: Any) -> None:
    window = rows(1_000, 1)
    window.write_parquet(tmp_path / "w.parquet")
    scanned = wholeness.measure(pl.scan_parquet(tmp_path / "w.parquet"), usual)
    assert scanned == wholeness.measure(window, usual)


def test_limits_and_columns_are_the_users() -> None:
    settings = Monitor.model_validate({"signals": {"quality": {"limit": 0.5, "columns": ["x"]}}})
    built = wholeness.build(rows(2_000, 0), KINDS, time="at", identity=["x"])
    window = rows(1_000, 1).with_columns(
        x=pl.when(pl.int_range(pl.len()) % 7 == 0).then(None).otherwise("x")
    )
    found = list(quality.columns(built, wholeness.measure(window, built), settings))
    assert {f.column for f in found} == {"x", None}
    assert moved({f.name: f for f in budget.judged(found, settings, 0.01)}) == set()


def week(count: int = 35) -> list[Delivery]:
    """Daily files; half as many rows on Sundays."""
    draw = np.random.default_rng(2)
    made = []
    for i in range(count):
        newest = START + timedelta(days=i)
        size = (500 if newest.weekday() == 6 else 1_000) * np.exp(draw.normal(0, 0.03))
        late = timedelta(hours=2 + draw.normal(0, 0.2))
        made.append(Delivery(round(size), newest, newest + late))
    return made


def files(now: Delivery, earlier: list[Delivery]) -> set[str]:
    found = [
        quality.volume(now, earlier, SETTINGS),
        *quality.freshness(now, earlier, SETTINGS),
    ]
    return {f.statistic for f in budget.judged(found, SETTINGS, 0.01) if f.status == "moved"}


def test_days_like_every_week_are_quiet() -> None:
    made = week(49)
    for first in range(7):  # whatever the weekday of the first file
        days = made[first:]
        assert [files(days[i], days[:i]) for i in range(len(days))] == [set()] * len(days), first


def test_a_file_of_too_few_or_too_many_rows() -> None:
    *earlier, now = week()
    assert files(Delivery(now.rows // 3, now.newest, now.published), earlier) == {"volume"}
    half = round(now.rows * 0.55)
    assert files(Delivery(half, now.newest, now.published), earlier) == {"volume"}, "half of it"
    assert files(Delivery(now.rows * 3, now.newest, now.published), earlier) == {"volume"}
    assert files(Delivery(0, now.newest, now.published), earlier) == {"volume"}


def test_a_day_that_is_missing_and_a_day_that_came_again() -> None:
    made = week()
    assert files(made[-1], made[:-2]) == {"gap"}
    again = Delivery(made[-1].rows, made[-2].newest, made[-2].published)
    assert files(again, made[:-1]) == {"gap"}


def test_a_file_that_came_late() -> None:
    *earlier, now = week()
    assert now.newest is not None
    late = Delivery(now.rows, now.newest, now.newest + timedelta(hours=20))
    assert files(late, earlier) == {"age"}


def test_a_young_history_says_so() -> None:
    first, second = week(2)
    statuses = {f.status for f in (quality.volume(second, [first], SETTINGS),)}
    assert statuses == {"not_enough_data"}
