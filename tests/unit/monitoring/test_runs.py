from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from trimtab.monitoring import profile, runs
from trimtab.monitoring.profile import Kind
from trimtab.monitoring.runs import Blocks, Runs

START = datetime(2026, 1, 1, tzinfo=UTC)
KINDS: dict[str, Kind] = {"x": "numeric", "c": "categorical", "t": "hour"}


def frame(count: int = 3000) -> pl.DataFrame:
    draw = np.random.default_rng(0)
    times = [START + timedelta(minutes=int(m)) for m in draw.permutation(count)]
    return pl.DataFrame(
        {
            "x": [None if i % 50 == 0 else float(v) for i, v in enumerate(draw.normal(size=count))],
            "c": draw.choice([f"v{i}" for i in range(30)], size=count),
            "t": times,
            "at": times,
        }
    )


def test_blocks_add_up_to_the_profile() -> None:
    rows = frame()
    profiles = profile.build(rows, KINDS)
    blocks = runs.cut(rows, profiles, "at")
    assert len(blocks.rows) == 150
    assert set(blocks.rows) == {20}
    for name, whole in profiles.items():
        total = np.asarray(blocks.counts[name]).sum(axis=0)
        assert tuple(total) == (*whole.counts, whole.nulls), name
    assert blocks.starts[0] == START.timestamp()
    assert blocks.starts[-1] == START.timestamp() + 2999 * 60
    assert list(blocks.starts) == sorted(blocks.starts)
    assert Blocks.model_validate_json(blocks.model_dump_json()) == blocks


def test_without_time_rows_keep_their_order() -> None:
    rows = pl.DataFrame({"x": [float(i // 500) for i in range(1000)]})
    blocks = runs.cut(rows, profile.build(rows, {"x": "numeric"}), None)
    assert blocks.starts == ()
    assert blocks.counts["x"][0] == (20, 0, 0)
    assert blocks.counts["x"][-1] == (0, 20, 0)


def test_a_large_reference_has_no_more_blocks() -> None:
    rows = pl.DataFrame({"x": np.zeros(50_000)})
    assert len(runs.cut(rows, profile.build(rows, {"x": "numeric"}), None).rows) == runs.BLOCKS


def test_what_a_shift_is_measured_in() -> None:
    rows = frame()
    blocks = runs.cut(rows, profile.build(rows, KINDS), "at")
    assert blocks.deviations["x"] == pytest.approx(1, abs=0.05)
    assert blocks.quantiles["x"][99] == pytest.approx(0, abs=0.05)
    assert "c" not in blocks.quantiles


def test_runs_are_as_long_as_the_window() -> None:
    counts = np.ones((100, 2), dtype=int) * 10
    by_rows, by_time = Runs(counts), Runs(counts, np.arange(101) * 3600.0)
    assert by_rows.length(200, None) == 10
    assert by_time.length(7, 36_000.0) == 10, "time counts where it is known"
    assert {tuple(run) for run in by_time.cut(10)} == {(100, 100)}
    assert by_rows.length(1, None) == 100, "not shorter than a block"
    assert by_rows.cut(0.5).tolist() == [[1000, 1000]], "nor longer than all"


def test_days_without_rows_do_not_make_a_run_longer() -> None:
    starts = np.append(np.concatenate([np.arange(50), np.arange(100, 150)]) * 1.0, 150.0)
    runs_ = Runs(np.ones((100, 2), dtype=int), starts)
    first, last = runs_.bounds(15)
    assert max(last - first) == 10
    assert min(last - first) == 1


def test_rows_without_a_time_are_somewhere() -> None:
    rows = pl.DataFrame({"x": [1.0, 2.0] * 50, "at": [None] * 50 + [START] * 50})
    blocks = runs.cut(rows, profile.build(rows, {"x": "numeric"}), "at")
    assert sum(blocks.rows) == 100
    assert len(blocks.starts) == len(blocks.rows) + 1
