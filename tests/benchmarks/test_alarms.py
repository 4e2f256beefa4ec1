"""False alarms and detection delay on streams whose truth is known (tests/windows.py).

make bench        # or: uv run --all-extras pytest tests/benchmarks/test_alarms.py -m benchmark -s

A stream is ten columns, an answer and a joint error, one window a day, sixty days of reference.
``WINDOWS``, ``STREAMS`` and ``ROWWISE`` make it smaller. Evidently needs the rows themselves, so it
sees fewer windows; how many is printed.
"""

import os
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import polars as pl
import pytest
from scipy.stats import binom

from trimtab.monitoring.distance import psi
from trimtab.monitoring.profile import ColumnProfile
from trimtab.watch import Observation
from windows import CATEGORIES, NUMBERS, Change, Kind, World, judge, watch

WINDOWS = int(os.environ.get("WINDOWS", "1000"))
STREAMS = int(os.environ.get("STREAMS", "20"))
ROWWISE = int(os.environ.get("ROWWISE", "20"))
PER_STREAM = 100  # windows that share one reference
PER_SPAN = 90  # windows in the time of the budget: one alarm
KINDS: tuple[Kind, ...] = ("independent", "autocorrelated", "seasonal")
RULE = 0.2  # of the plain PSI rule
EVIDENTLY_ROWS = 20_000  # of the reference
BEFORE, AFTER = 10, 20  # windows without and with the change

MOST = {
    "mean": [0.25, 0.5, 1.0],
    "variance": [1.25, 1.5, 2.0],
    "category": [0.05, 0.1, 0.2],
    "missing": [0.01, 0.03, 0.1],
}
COLUMN = {"mean": "x4", "variance": "x4", "category": "few", "missing": "x5"}


def plain(world: World, window: dict[str, ColumnProfile]) -> bool:
    """PSI above 0.2 in any column."""
    return any(
        psi((*before.counts, before.nulls), (*window[name].counts, window[name].nulls)) > RULE
        for name, before in world.profiles.items()
        if name not in {"answer", "error"}
    )


def evidently(reference: Any, current: pl.DataFrame) -> tuple[bool, bool]:
    """Whether the default preset calls any column drifted, and the data set."""
    from evidently import Report
    from evidently.presets import DataDriftPreset

    seen = Report([DataDriftPreset()]).run(dataset(current), reference).dict()
    [counted] = [
        m["value"] for m in seen["metrics"] if m["metric_name"].startswith("DriftedColumnsCount")
    ]
    return counted["count"] > 0, counted["share"] >= 0.5


def dataset(frame: pl.DataFrame) -> Any:
    """The ten columns as Evidently takes them."""
    from evidently import DataDefinition, Dataset

    definition = DataDefinition(numerical_columns=NUMBERS, categorical_columns=CATEGORIES)
    pandas = frame.select(*NUMBERS, *CATEGORIES).to_pandas()
    return Dataset.from_pandas(pandas, data_definition=definition)


def rowwise(kind: Kind, rows: int, change: Callable[[int], Change | None], windows: int) -> Any:
    """What Evidently says of the windows of one stream, drawn row by row."""
    world = World(kind, rows, seed=0, reference_days=1)
    reference = dataset(world.frame(EVIDENTLY_ROWS, days=60))
    return [evidently(reference, world.frame(rows, change(i))) for i in range(windows)]


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("rows", [100, 500, 5_000, 50_000])
@pytest.mark.parametrize("kind", KINDS)
def test_no_change(kind: Kind, rows: int) -> None:
    began, streams = time.monotonic(), max(WINDOWS // PER_STREAM, 1)
    per = min(PER_STREAM, WINDOWS)
    seen: list[Observation] = []
    simple = 0
    for seed in range(streams):
        world = World(kind, rows, seed)
        history: list[Observation] = []
        for _ in range(per):
            window = world.window()
            history.append(judge(world, window, history))
            simple += plain(world, window)
        seen += history
    alarms = sum(bool(each.alarm) for each in seen)
    moved = sum(any(f.status == "moved" for f in each.findings) for each in seen)
    allowed = len(seen) / PER_SPAN
    took = time.monotonic() - began
    print(
        f"\n{kind}, windows of {rows:,}: {alarms} alarms in {len(seen):,} windows (goal <= "
        f"{allowed:.1f}), {moved} windows moved; PSI > {RULE}: {simple / len(seen):.1%} of windows "
        f"({took:.0f} s)"
    )
    assert alarms <= allowed
    assert moved <= binom.ppf(0.99, len(seen), 1 / PER_SPAN) * (1 if kind == "independent" else 2)


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("rows", [500, 5_000])
@pytest.mark.parametrize("kind", KINDS)
def test_evidently_without_a_change(kind: Kind, rows: int) -> None:
    if not ROWWISE:
        pytest.skip("ROWWISE=0")
    told = rowwise(kind, rows, lambda _: None, ROWWISE)
    columns, whole = (sum(each[i] for each in told) for i in (0, 1))
    print(
        f"\n{kind}, windows of {rows:,}: Evidently's default preset calls a column drifted in "
        f"{columns} of {len(told)} windows without a change, the data set in {whole}"
    )


def delay(found: list[bool]) -> int | None:
    """Windows with the change until the first that is called, that one counted."""
    return next((i + 1 for i, yes in enumerate(found[BEFORE:]) if yes), None)


def told(delays: list[int | None]) -> str:
    """Median delay and share found."""
    found = [each for each in delays if each is not None]
    share = len(found) / len(delays)
    return f"{median(found):>4.0f} {share:>5.0%}" if found else f"   - {share:>5.0%}"


def of_streams(
    kind: Kind, rows: int, change: Callable[[int], Change | None]
) -> tuple[list[int | None], list[int | None], list[int | None], float]:
    """Delays of an alarm, of a first window that moved, and of the plain rule; and its quiet."""
    alarms, moved, simple, early = [], [], [], 0
    for seed in range(STREAMS):
        world = World(kind, rows, 1000 + seed)
        history: list[Observation] = []
        bare: list[bool] = []
        for i in range(BEFORE + AFTER):
            window = world.window(change(i))
            bare.append(plain(world, window))
            history.append(judge(world, window, history))
        alarms.append(delay([bool(each.alarm) for each in history]))
        moved.append(delay([any(f.status == "moved" for f in each.findings) for each in history]))
        simple.append(delay(bare))
        early += sum(bare[:BEFORE])
    return alarms, moved, simple, early / STREAMS / BEFORE


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("rows", [500, 5_000])
@pytest.mark.parametrize("kind", ["independent", "autocorrelated"])
def test_delay(kind: Kind, rows: int) -> None:
    """A change from one day on: how many windows until it is called."""
    print(
        f"\n{kind}, windows of {rows:,}; windows until called and share found in {AFTER}, "
        f"of {STREAMS} streams\n{'planted':16}   alarm     moved     PSI>{RULE} (of quiet ones)"
    )
    large = []
    for what, sizes in MOST.items():
        for size in sizes:
            planted = Change(what, COLUMN[what], size)  # type: ignore[arg-type]
            found = of_streams(kind, rows, lambda i, p=planted: p if i >= BEFORE else None)
            alarms, moved, simple, early = found
            print(f"{what:9} {size:<6} {told(alarms)}  {told(moved)}  {told(simple)} ({early:.0%})")
            large.append(alarms if size == sizes[-1] else [])
    shares = [sum(d is not None for d in each) / len(each) for each in large if each]
    assert min(shares) >= 0.9, "the largest of each kind is found"


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("pattern", ["gradual", "recurring"])
def test_patterns(pattern: str) -> None:
    """A mean that creeps by one deviation in twenty windows, or is off every other ten."""

    def change(i: int) -> Change | None:
        since = i - BEFORE + 1
        if since <= 0:
            return None
        if pattern == "gradual":
            return Change("mean", "x4", since / AFTER)
        return Change("mean", "x4", 0.7) if (since - 1) // 5 % 2 == 0 else None

    for kind in ("independent", "autocorrelated"):
        alarms, moved, simple, early = of_streams(kind, 5_000, change)  # type: ignore[arg-type]
        print(
            f"\n{pattern}, {kind}, windows of 5,000: alarm {told(alarms)}, moved {told(moved)}, "
            f"PSI > {RULE} {told(simple)} ({early:.0%} of quiet ones)"
        )
        assert sum(each is not None for each in alarms) >= 0.9 * len(alarms)


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", ["independent", "autocorrelated"])
def test_evidently_with_a_change(kind: Kind) -> None:
    """The largest change of each kind, on one stream: what the preset says before and after."""
    if not ROWWISE:
        pytest.skip("ROWWISE=0")
    for what, sizes in MOST.items():
        planted = Change(what, COLUMN[what], sizes[-1])  # type: ignore[arg-type]
        half = max(ROWWISE // 4, 1)
        seen = rowwise(kind, 5_000, lambda i, p=planted, h=half: p if i >= h else None, 2 * half)
        for name, place in (("a column", 0), ("the data set", 1)):
            before = sum(each[place] for each in seen[:half])
            after = sum(each[place] for each in seen[half:])
            print(
                f"\n{kind}, {what} {sizes[-1]}: Evidently's default preset calls {name} drifted in "
                f"{before} of {half} windows before, {after} of {half} after"
            )


@pytest.mark.benchmark
def test_the_order_of_blocks_is_what_keeps_it_quiet() -> None:
    """Control: without the reference's runs the same windows of alike neighbours cry."""
    world = World("autocorrelated", 5_000, 0)
    with_runs = sum(any(f.status == "moved" for f in o.findings) for o in watch(world, 100))
    world.nulls = dict.fromkeys(world.nulls)  # type: ignore[assignment]
    without = sum(any(f.status == "moved" for f in o.findings) for o in watch(world, 100))
    print(f"\nwindows that moved of 100: {with_runs} with runs, {without} as independent rows")
    assert without > 10 * max(with_runs, 1)
