from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from trimtab.config.monitor import Monitor
from trimtab.monitoring import budget, detect, profile
from trimtab.watch import Alarm, Finding, Observation, Signal, Status

SETTINGS = Monitor()
LEVEL = 1 / 90
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


def judged(frame: pl.DataFrame, settings: Monitor = SETTINGS) -> dict[str, Finding]:
    compared = detect.compare(REFERENCE, profile.measure(frame, REFERENCE), settings)
    found = budget.judged((c.finding for c in compared), settings, LEVEL)
    return {str(finding.column): finding for finding in found}


def test_windows_without_a_change_are_quiet() -> None:
    quiet = [judged(rows(seed, count)) for count in (2000, 500, 100) for seed in range(1, 41)]
    assert sum(any(f.status == "moved" for f in found.values()) for found in quiet) <= 2


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
    assert [c for c, seen in found.items() if seen.status == "moved"] == [column]
    text = detect.summary(list(found.values()))
    assert text.startswith(f"1 of 20 findings moved; data:{column}")


def test_the_note_says_what_changed() -> None:
    for name, expected in {
        "null burst": "nulls 0.0% → 16.7%",
        "all null": "no value at all now",
        "new category": "new values ('<new>') 0.0% → 12.5%",
    }.items():
        column, change = CHANGES[name]
        assert expected in judged(change(rows(1, 2000)))[column].note


def test_too_few_rows_are_never_a_change() -> None:
    found = judged(rows(1, 99).with_columns(pl.col("x1") + 50))
    assert {f.status for f in found.values()} == {"not_enough_data"}
    assert found["x1"].note == "99 rows, 100 wanted"
    assert detect.summary(list(found.values())) == "nothing could be judged"


def test_small_windows_are_given_their_noise() -> None:
    bare = ours = 0
    for seed in range(1, 31):
        found = judged(rows(seed, 40), Monitor(min_rows=20)).values()
        bare += sum((f.value or 0) >= 0.2 for f in found)
        ours += sum(f.status == "moved" for f in found)
    assert bare > 60, "of 600 columns without a change"
    assert ours <= 1


def test_a_limit_of_ones_own() -> None:
    shifted = rows(1, 2000).with_columns(pl.col("x1") + 0.25)
    assert judged(shifted)["x1"].status == "ok", "certain, but too small to matter"
    fine = Monitor.model_validate({"signals": {"data": {"limit": 0.03}}})
    assert judged(shifted, fine)["x1"].status == "moved"


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
    judged = budget.judged((c.finding for c in found), SETTINGS, LEVEL)
    seen = {f.column: (f.status, f.note) for f in judged}
    assert seen["constant"] == ("not_computable", "one value only in the reference; several now")
    assert seen["one"] == ("not_computable", "one value only in the reference; several now")
    assert seen["empty"] == ("not_computable", "the reference has no value in this column")
    assert seen["gone"] == ("not_computable", "the column is absent")
    assert seen["text"] == ("not_computable", "numeric in the reference, String now")
    assert seen["inf"][0] == "moved"


def window(
    i: int, status: Status | None, *, signal: Signal = "data", version: int = 1, look: int = 0
) -> Observation:
    found = (Finding(signal=signal, column="x", statistic="psi", status=status),) if status else ()
    return Observation(
        model="m",
        version=version,
        sha256=f"{i:02}",
        partition=f"day {i}",
        rows=100,
        findings=found,
        labels_at=look or None,
    )


def alarms(*statuses: Status | None, settings: Monitor = SETTINGS, **more: object) -> list[Alarm]:
    windows = [window(i, status, **more) for i, status in enumerate(statuses)]  # type: ignore[arg-type]
    return list(detect.alarms(windows[:-1], windows[-1], settings))


def test_two_of_the_last_three_windows_with_the_newest() -> None:
    assert alarms("moved") == []
    assert alarms("moved", "ok", "ok", "moved") == []
    assert alarms("moved", "moved", "ok") == [], "it is over"
    [alarm] = alarms("ok", "moved", "ok", "moved", "moved")
    assert (alarm.since, alarm.windows) == ("day 3", 2)
    assert alarm.findings == ("data:x",)


def test_windows_that_were_not_judged_are_passed_over() -> None:
    assert alarms("moved", "not_enough_data", None, "not_computable", "moved")
    assert alarms("moved", None, "ok", "ok", "moved") == []


def test_what_is_certain_at_first_sight_is_not_waited_for() -> None:
    assert alarms("moved", signal="quality")
    patient = Monitor.model_validate({"signals": {"quality": {"persist": "2 of 2"}}})
    assert alarms("moved", signal="quality", settings=patient) == []
    silent = Monitor.model_validate({"signals": {"quality": {"alarm": False}}})
    assert alarms("moved", signal="quality", settings=silent) == []


def test_another_version_starts_anew() -> None:
    before = [window(0, "moved", version=1)]
    assert detect.alarms(before, window(1, "moved", version=2), SETTINGS) == ()


def test_a_later_look_is_judged_with_the_windows_before_it() -> None:
    past = [window(i, status) for i, status in enumerate(("ok", "moved", "ok", "moved"))]
    assert detect.alarms(past, window(2, "moved", look=7), SETTINGS), "windows 1 and 2"
    assert not detect.alarms(past, window(0, "moved", look=7), SETTINGS), "later ones do not count"
