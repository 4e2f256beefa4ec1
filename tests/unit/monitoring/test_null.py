"""Null distributions on streams whose truth is known; the full run is in tests/benchmarks."""

import numpy as np
import pytest

from trimtab.monitoring import distance
from trimtab.monitoring.null import null
from trimtab.monitoring.runs import Runs
from windows import DAY, STEPS, Change, World, watch


def independent(rows: int, blocks: int = 200, seed: int = 0) -> Runs:
    draw = np.random.default_rng(seed)
    return Runs(draw.multinomial(rows // blocks, np.full(10, 0.1), size=blocks))


@pytest.mark.parametrize("rows", [100, 1000, 20_000])
def test_independent_rows_have_the_known_distribution(rows: int) -> None:
    """Without likeness of neighbours it is Yurdakul and Naranjo's chi-square."""
    runs = independent(20_000)
    found = null(runs, rows)
    assert found.mean == pytest.approx(distance.noise_floor(10, 20_000, rows), rel=0.35)
    for size in (2.0, 4.0):
        psi = size * distance.noise_floor(10, 20_000, rows)
        theirs = distance.p_value(psi, 10, 20_000, rows)
        assert theirs / 30 < found.p_value(psi) < max(30 * theirs, 0.05)


def test_neighbours_that_are_alike_make_windows_differ() -> None:
    """The same counts, in order or shuffled: only the order tells."""
    draw = np.random.default_rng(1)
    level = np.repeat(draw.uniform(0.05, 0.3, size=40), 5)
    shares = np.column_stack([level, np.tile((1 - level)[:, None] / 9, 9)])
    blocks = draw.multinomial(100, shares)
    ordered = null(Runs(blocks), 500)
    shuffled = null(Runs(draw.permutation(blocks)), 500)
    assert ordered.excess > 3 * shuffled.excess
    assert ordered.p_value(0.15) > 100 * shuffled.p_value(0.15)


def test_a_season_inside_the_window_is_no_excess() -> None:
    """Days have ups and downs, every day the same: a whole day has none of them, an hour all."""
    hours = np.tile([0.1, 0.1, 0.4, 0.4], 60)
    shares = np.column_stack([hours, np.tile((1 - hours)[:, None] / 9, 9)])
    counts = np.random.default_rng(2).multinomial(500, shares)
    runs = Runs(counts, np.arange(241) * DAY / 4)
    assert null(runs, 2000, DAY).excess < 0.01
    assert null(runs, 500, DAY / 4).excess > 0.1


def test_a_window_longer_than_the_reference_is_extrapolated() -> None:
    world = World("autocorrelated", 1000, 0)
    counts = np.asarray([p.counts for p in [world.window()["x0"] for _ in range(40)]])
    runs = Runs(counts, np.arange(41) * DAY)
    means = [null(runs, 1000 * days, days * DAY).mean for days in (1, 5, 20, 80)]
    assert all(np.isfinite(means))
    assert means == sorted(means, reverse=True), "errors average out, but not all at once"
    assert means[3] > 0


def test_few_blocks_leave_sampling_only() -> None:
    found = null(independent(100, blocks=5), 100)
    assert found.excess == 0
    assert 0 < found.p_value(0.5) < 1


def test_a_rare_bin_does_not_make_one_row_certain() -> None:
    """One missing value in a hundred rows, where the reference has one in five hundred."""
    before = [[100, 98, 2]] * 50
    found = null(Runs(np.asarray(before)), 100)
    psi = distance.psi([5000, 4900, 100], [50, 47, 3])
    assert found.p_value(psi) > 0.05


@pytest.mark.parametrize("kind", ["independent", "autocorrelated", "seasonal"])
def test_windows_without_a_change_stay_inside_the_budget(kind: str) -> None:
    """120 windows in three worlds of one in ninety: one alarm is expected, three are not."""
    alarms = naive = 0
    for seed in range(3):
        world = World(kind, 1000, seed)  # type: ignore[arg-type]
        seen = watch(world, 40)
        alarms += sum(bool(each.alarm) for each in seen)
        world.nulls = dict.fromkeys(world.nulls)  # type: ignore[assignment]
        naive += sum(any(f.status == "moved" for f in o.findings) for o in watch(world, 10))
    assert alarms <= 2
    if kind == "autocorrelated":
        assert naive > 6, "chi-square of independent rows cries: the control"


def test_a_planted_change_is_found_although_neighbours_are_alike() -> None:
    world = World("autocorrelated", 1000, 0)
    seen = watch(world, 6, lambda i: Change("mean", "x4", 1.0) if i >= 3 else None)
    assert [bool(each.alarm) for each in seen] == [False] * 4 + [True, True]
    assert seen[-1].alarm[0].findings == ("data:x4",)
    assert STEPS * world.per_step == world.window_rows
