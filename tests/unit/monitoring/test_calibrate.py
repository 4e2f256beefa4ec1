from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from trimtab.config.monitor import Monitor
from trimtab.monitoring import budget, calibrate, detect, profile, runs, visible
from trimtab.monitoring.null import null
from trimtab.monitoring.profile import Kind
from trimtab.monitoring.unchanged import Column, Maker, Volume
from trimtab.types import GateVerdict

KINDS: dict[str, Kind] = {"x": "numeric", "y": "numeric", "c": "categorical"}
SETTINGS = Monitor()
DAY = timedelta(days=1)


def rows(seed: int, count: int) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "x": draw.normal(5, 2, size=count),
            "y": draw.gamma(1, size=count),
            "c": draw.choice(["u", "v", "w"], p=[0.6, 0.3, 0.1], size=count),
        }
    )


REFERENCE = rows(0, 20_000)
PROFILES = profile.build(REFERENCE, KINDS)
BLOCKS = runs.cut(REFERENCE, PROFILES, None)
COLUMNS = [Column("data", name, before, BLOCKS) for name, before in PROFILES.items()]


def test_windows_of_the_reference_are_quiet() -> None:
    found = calibrate.simulate(COLUMNS, SETTINGS, Volume(500, every=DAY), windows=200)
    assert found.level == pytest.approx(1 / 90)
    assert found.windows == 200
    assert found.alarms <= 2
    again = calibrate.simulate(COLUMNS, SETTINGS, Volume(500, every=DAY), windows=200)
    assert again == found, "the same every time"


def test_settings_that_cry_are_said_to() -> None:
    loud = Monitor.model_validate(
        {
            "max_false_alarms": "50 per 90d",
            "persist": "1 of 1",
            "signals": {"data": {"limit": 1e-9}},
        }
    )
    found = calibrate.simulate(COLUMNS, loud, Volume(500, every=DAY), windows=200)
    assert found.alarms > 1
    assert found.alarms == found.moved


def test_rows_of_a_window_are_drawn_once_each() -> None:
    maker = Maker(COLUMNS[0], Volume(100))
    counts = [maker.counts(place, np.random.default_rng(0)) for place in (0, 0.5, 0.999)]
    assert [int(each.sum()) for each in counts] == [100, 100, 100]


@pytest.mark.parametrize("count", [200, 2000])
def test_the_smallest_shift_is_the_smallest(count: int) -> None:
    """A window with the shift that is said is seen by the real thing, with half of it is not."""
    share = 1 / 90 / 2
    told = visible.smallest(COLUMNS, SETTINGS, Volume(count), {"data": share})
    size = {(v.name, v.what): v.smallest or 0.0 for v in told}
    assert set(size) == {
        ("x", "mean"), ("x", "missing"), ("y", "mean"), ("y", "missing"),
        ("c", "category"), ("c", "missing"),
    }  # fmt: skip
    expected = null(BLOCKS.of("x"), count)

    def seen(by: float) -> float:
        found = 0
        for seed in range(1, 41):
            shifted = rows(seed, count).select(pl.col("x") + by * 2)
            now = profile.measure(shifted, {"x": PROFILES["x"]})["x"]
            compared = detect.compare_column("x", PROFILES["x"], now, SETTINGS, expected=expected)
            [judged] = budget.judged([compared.finding], SETTINGS, share / 3)
            found += judged.status == "moved"
        return found / 40

    assert 0.6 <= seen(size["x", "mean"]) <= 0.95
    assert seen(size["x", "mean"] / 2) < 0.2


def test_a_limit_out_of_reach_is_said() -> None:
    blind = Monitor.model_validate({"signals": {"data": {"limit": 1000}}})
    told = visible.smallest(COLUMNS, blind, Volume(200), {"data": 0.01})
    assert {each.smallest for each in told} == {None}


def test_the_metric() -> None:
    gate = GateVerdict(
        model="m", version=1, verdict="PROMOTE", reasons=(), rules=(), primary="roc_auc",
        value=0.8, interval=(0.78, 0.82), rows=2000,
    )  # fmt: skip
    small, large = (visible.loss(gate, SETTINGS, n, 0.005) for n in (500, 50_000))
    assert small is not None
    assert large is not None
    assert (small.smallest or 0) == pytest.approx((2.576 + 0.842) * 0.0102 * 5**0.5, rel=0.02)
    assert (large.smallest or 0) < (small.smallest or 0)
    assert (large.smallest or 0) >= SETTINGS.performance_drop
    assert visible.loss(None, SETTINGS, 500, 0.005) is None
