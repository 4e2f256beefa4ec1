from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from trimtab.config.monitor import Monitor
from trimtab.monitoring import detect, profile
from trimtab.monitoring.detect import Comparison

SETTINGS = Monitor()
NUMBERS = [f"x{i}" for i in range(14)]
CATEGORIES = [f"c{i}" for i in range(6)]
KINDS: dict[str, profile.Kind] = {
    **dict.fromkeys(NUMBERS, "numeric"),
    **dict.fromkeys(CATEGORIES, "categorical"),
}
Change = Callable[[pl.DataFrame], pl.DataFrame]


def rows(seed: int, count: int) -> pl.DataFrame:
    """20 columns of many shapes: normal, skewed, mostly zero, few values, categories."""
    draw = np.random.default_rng(seed)
    columns: dict[str, object] = {
        name: draw.normal(size=count) if i % 3 else draw.gamma(0.7, size=count)
        for i, name in enumerate(NUMBERS)
    }
    columns["x12"] = draw.poisson(0.1, size=count).astype(float)
    columns["x13"] = draw.integers(0, 4, size=count)
    for i, name in enumerate(CATEGORIES):
        columns[name] = draw.choice([f"v{j}" for j in range(2 + 4 * i)], size=count)
    return pl.DataFrame(columns)


REFERENCE = profile.build(rows(0, 20_000), KINDS)


def judged(frame: pl.DataFrame, settings: Monitor = SETTINGS) -> dict[str, Comparison]:
    found = detect.compare(REFERENCE, profile.measure(frame, REFERENCE), settings)
    return {str(c.finding.column): c for c in found}


@pytest.mark.parametrize("count", [2000, 500])
def test_no_drift_raises_no_alarm(count: int) -> None:
    alarms = columns = 0
    for seed in range(1, 101):
        found = list(judged(rows(seed, count)).values())
        alarms += bool(detect.alarms(found, found[0], None, SETTINGS))
        columns += sum(c.finding.status == "drift" for c in found)
    print(f"n={count}: {alarms} alarms in 100 windows, {columns} of 2,000 columns drifted")
    assert alarms <= 1


CHANGES: dict[str, tuple[str, Change]] = {
    "mean": ("x1", lambda f: f.with_columns(pl.col("x1") + 0.8)),
    "variance": ("x2", lambda f: f.with_columns(pl.col("x2") * 2.5)),
    "category": (
        "c3",
        lambda f: f.with_columns(
            c3=pl.when(pl.int_range(pl.len()) % 3 == 0).then(pl.lit("v0")).otherwise("c3")
        ),
    ),
    "new category": (
        "c1",
        lambda f: f.with_columns(
            c1=pl.when(pl.int_range(pl.len()) % 8 == 0).then(pl.lit("<new>")).otherwise("c1")
        ),
    ),
    "null burst": (
        "x4",
        lambda f: f.with_columns(x4=pl.when(pl.int_range(pl.len()) % 6 > 0).then("x4")),
    ),
    "all null": ("x5", lambda f: f.with_columns(x5=pl.lit(None, pl.Float64))),
    "stuck": ("x7", lambda f: f.with_columns(x7=pl.lit(0.1))),
    "unit": ("x3", lambda f: f.with_columns(pl.col("x3") * 1000)),
}


@pytest.mark.parametrize("name", list(CHANGES))
def test_a_planted_change_is_found_in_its_column_only(name: str) -> None:
    column, change = CHANGES[name]
    found = judged(change(rows(1, 2000)))
    assert [c for c, seen in found.items() if seen.finding.status == "drift"] == [column]
    text = detect.summary(list(found.values()), None, None)
    assert text.startswith(f"1 of 20 features moved, most of all {column} (PSI ")


def test_the_note_says_what_changed() -> None:
    for name, expected in {
        "null burst": "nulls 0.0% → 16.7%",
        "all null": "no value at all now",
        "new category": "new values ('<new>') 0.0% → 12.5%",
    }.items():
        column, change = CHANGES[name]
        assert expected in judged(change(rows(1, 2000)))[column].finding.note


def test_too_few_rows_are_never_drift() -> None:
    found = judged(rows(1, 499).with_columns(pl.col("x1") + 50))
    assert {c.finding.status for c in found.values()} == {"not_enough_data"}
    assert found["x1"].finding.note == "499 rows, 500 wanted"
    assert detect.alarms(list(found.values()), None, None, SETTINGS) == ()
    assert detect.summary(list(found.values()), None, None).startswith("not enough rows")


def test_small_windows_are_given_their_noise() -> None:
    bare = ours = 0
    for seed in range(1, 31):
        found = judged(rows(seed, 40), Monitor(min_rows=20)).values()
        bare += sum((c.finding.value or 0) >= SETTINGS.drift for c in found)
        ours += sum(c.finding.status == "drift" for c in found)
    print(f"n=40, 600 columns without drift: PSI > 0.2 alone calls {bare}, with the floor {ours}")
    assert bare > 60
    assert ours <= bare / 10, "and min_rows keeps windows this small from being judged at all"


def test_odd_columns_have_their_status_and_stop_nothing() -> None:
    reference = profile.build(
        pl.DataFrame(
            {
                "constant": [1.0] * 1000,
                "empty": pl.Series([None] * 1000, dtype=pl.Float64),
                "inf": [float(i) for i in range(1000)],
                "gone": [float(i) for i in range(1000)],
                "text": [float(i) for i in range(1000)],
                "one": ["a"] * 1000,
            }
        ),
        {
            **dict.fromkeys(["constant", "empty", "inf", "gone", "text"], "numeric"),
            "one": "categorical",
        },
    )
    now = pl.DataFrame(
        {
            "constant": [1.0, 2.0] * 500,
            "empty": [1.0] * 1000,
            "inf": [float("inf")] * 1000,
            "text": ["1"] * 1000,
            "one": ["a", "b"] * 500,
        }
    )
    reasons = {"text": "numeric in the reference, String now"}
    found = detect.compare(reference, profile.measure(now, reference), SETTINGS, reasons=reasons)
    seen = {c.finding.column: (c.finding.status, c.finding.note) for c in found}
    assert seen["constant"] == ("not_computable", "one value only in the reference; several now")
    assert seen["one"] == ("not_computable", "one value only in the reference; several now")
    assert seen["empty"] == ("not_computable", "the reference has no value in this column")
    assert seen["gone"] == ("not_computable", "the column is absent")
    assert seen["text"] == ("not_computable", "numeric in the reference, String now")
    assert seen["inf"][0] == "drift"
    assert "5 could not be compared" in detect.summary(found, None, None)


def test_alarm_rules() -> None:
    quiet = list(judged(rows(1, 2000)).values())
    shifted = rows(1, 2000).with_columns(pl.col(*NUMBERS[:6]) + 5)
    loud = list(judged(shifted).values())
    moved = loud[0]
    assert detect.alarms(quiet, quiet[0], None, SETTINGS) == ()
    assert detect.alarms(loud, quiet[1], None, SETTINGS) == ("drift",), "6 of 20 is the share"
    assert detect.alarms(quiet, moved, None, SETTINGS) == ("drift",), "predictions moved"
    worse = moved.finding.model_copy(update={"signal": "performance"})
    assert detect.alarms(quiet, None, worse, SETTINGS) == ("performance",)
    assert detect.alarms(loud, moved, worse, SETTINGS) == ("drift", "performance")
    fewer = list(judged(rows(1, 2000).with_columns(pl.col(*NUMBERS[:5]) + 5)).values())
    assert detect.alarms(fewer, None, None, SETTINGS) == ()
