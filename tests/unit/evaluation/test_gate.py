"""The gate as a whole on simulated truth: how often it errs, and what it never lets pass.

Small twin of tests/benchmarks/test_gate.py, which does the same with 500 seeds and more.
"""

from typing import Any

import pytest

from simulation import World, promoted, verdicts
from trimtab.evaluation.gate import judge
from trimtab.types import GateVerdict, Rule

SEEDS = range(40)
DAYS = World("regression", rows=400, day_spread=0.4)
BOTH = World("regression", rows=400, day_spread=0.3, group_spread=0.3)


def superior(world: World, **options: Any) -> float:
    return promoted(verdicts(world, SEEDS, mode="superior", margin=0.0, **options))


@pytest.mark.parametrize("world", [World(rows=500), DAYS, BOTH], ids=["rows", "days", "both"])
def test_equal_models_are_seldom_superior(world: World) -> None:
    assert superior(world) <= 4 / 40  # 2.5 % expected; more than 4 of 40 has a chance of 0.3 %


@pytest.mark.parametrize("world", [DAYS, BOTH], ids=["days", "both"])
def test_who_draws_rows_where_days_depend_errs_far_more_often(world: World) -> None:
    assert superior(world, naive=True) > 0.1


def test_a_planted_gain_is_found_the_surer_the_larger_it_is() -> None:
    small, large = (superior(World(rows=500, gain=gain)) for gain in (0.03, 0.1))
    assert small < large
    assert large >= 0.85


def test_equal_models_pass_non_inferior_and_worse_ones_by_the_margin_do_not() -> None:
    def passed(gain: float) -> float:
        world = World("regression", rows=400, gain=gain)
        return promoted(verdicts(world, SEEDS, margin=0.15))

    assert passed(0.0) >= 0.6
    assert passed(-0.15) <= 4 / 40


def test_hold_asks_for_labels() -> None:
    world = World("regression", rows=400, gain=0.08)
    found = verdicts(world, SEEDS, mode="superior", margin=0.01)
    asked = [verdict.labels_needed for verdict in found if verdict.verdict == "HOLD"]
    assert len(asked) > 8
    assert all(asked)
    assert all(v.labels_needed is None for v in found if v.verdict != "HOLD")


LOOSE = {"versus_champion": {"resamples": 100, "margin": 0.3}, "slice_min_rows": 150}
BAD = World(rows=4000, bad_part="c")


def refused(**gate: Any) -> tuple[GateVerdict, Rule]:
    """The verdict on a model with a bad part, and the only rule that failed."""
    verdict = judge(BAD.case(1, {**LOOSE, **gate}))
    (failed,) = (rule for rule in verdict.rules if not rule.passed)
    return verdict, failed


def test_a_bad_slice_is_refused_by_its_name() -> None:
    _, failed = refused(slices=("part",))
    assert failed.name == "slice_regression"
    assert "part = c" in failed.reason
    assert "part = d" not in failed.reason


def test_a_bad_slice_that_nobody_named_is_found() -> None:
    verdict, failed = refused(discover_slices=3)
    assert failed.name == "slice_regression"
    assert "part = c" in failed.reason
    worst = verdict.slices[0]
    assert (worst["discovered"], worst["value"]) == (True, "c")
    assert worst["rows"] < 400  # judged on the half that was not searched


def test_a_bad_slice_is_not_looked_for_unasked() -> None:
    assert judge(BAD.case(1, LOOSE)).verdict == "PROMOTE"


def test_looking_for_slices_in_a_good_model_seldom_refuses() -> None:
    gate = {**LOOSE, "discover_slices": 5}
    found = [judge(World(rows=2000).case(seed, gate)) for seed in range(12)]
    assert promoted(found) >= 9 / 12  # at most 5 % are to be refused
    assert all(part["discovered"] for verdict in found for part in verdict.slices)


def test_the_verdict_says_what_was_drawn() -> None:
    (verdict,) = verdicts(BOTH, range(1))
    assert verdict.resampling == "day and group"
    assert verdict.calibration is None
    (verdict,) = verdicts(World(rows=400), range(1))
    assert verdict.resampling == "row"
    assert 0 < verdict.calibration < 1


def test_a_large_gain_on_more_rows_than_are_disturbed_passes() -> None:
    """Robustness asks at most 10,000 of the rows."""
    (verdict,) = verdicts(World(rows=12_000, gain=0.1), range(1), mode="superior", margin=0.005)
    assert verdict.verdict == "PROMOTE", verdict.reasons
