"""Ingest, validate and publish survive a fault at every mutating step; a naive pipeline does not.

By default a sample of the steps is tried, the ones around commits always; TRIMTAB_FAULTS=all tries
every step. The summary says how many cells there were and how many survived.
"""

import os
from typing import Any

import pytest

from faults.scenarios import SCENARIOS

ALL = os.environ.get("TRIMTAB_FAULTS") == "all"
SPREAD, CRITICAL = 2, 2  # steps of a scenario and a fault that are tried by default
OURS = list(SCENARIOS)


def chosen(steps: list[str], *, shift: int) -> list[int]:
    """Numbers of the steps to try: all, or some that are spread and some around commits."""
    if ALL:
        return list(range(1, len(steps) + 1))
    around = [i for i, step in enumerate(steps, 1) if "delta." in step or step == "after append"]
    wide = max(1, len(steps) // SPREAD)
    spread = range(1 + (wide // 3 * (1 + shift)) % wide, len(steps) + 1, wide)
    return sorted({*list(spread)[:SPREAD], *around[shift::2][-CRITICAL:]})


def test_steps_are_seen(bench: Any) -> None:
    _, steps = bench.undisturbed("append")
    told = " ".join(steps)
    for part in ("store.put", "os.rename", "commit", "append", "delta."):
        assert part in told, f"the bench is blind for {part}"
    assert len(steps) > 30


@pytest.mark.parametrize("scenario", OURS)
def test_killed_anywhere_and_run_again(bench: Any, scenario: str) -> None:
    _, steps = bench.undisturbed(scenario)
    tried = {f"{i} {steps[i - 1]}": bench.kill(scenario, i) for i in chosen(steps, shift=0)}
    assert bench.count("killed", tried) == {}


@pytest.mark.parametrize("scenario", OURS)
def test_a_sleeper_wakes_after_its_retry(bench: Any, scenario: str) -> None:
    _, steps = bench.undisturbed(scenario)
    tried = {f"{i} {steps[i - 1]}": bench.stop(scenario, i) for i in chosen(steps, shift=1)}
    assert bench.count("asleep", tried) == {}


@pytest.mark.parametrize("scenario", ["first", "append", "upsert", "restated"])
def test_a_sleeper_that_lost_its_lock_wakes_after_its_retry(bench: Any, scenario: str) -> None:
    """As a network parts them: the lock is free again, and who held it does not know."""
    _, steps = bench.undisturbed(scenario)
    publishing = next(i for i in reversed(range(len(steps))) if "before delta." in steps[i]) + 1
    picked = range(1, len(steps) + 1) if ALL else (publishing - 1, publishing, publishing + 1)
    tried = {f"{i} {steps[i - 1]}": bench.stop(scenario, i, unlock=True) for i in picked}
    assert bench.count("cut off", tried) == {}


@pytest.mark.parametrize("scenario", ["append", "restated", "two files"])
def test_two_runs_at_once(bench: Any, scenario: str) -> None:
    bench.undisturbed(scenario)
    tried = {"both": bench.together(scenario, only=(None, None))}
    assert bench.count("at once", tried) == {}


def test_an_old_month_comes_while_a_new_one_is_published(bench: Any) -> None:
    _, steps = bench.undisturbed("two files")
    picked = range(1, len(steps), 1 if ALL else len(steps) // 3)
    tried = {
        f"{i}": bench.together("two files", only=("feb.csv", "dec.csv"), step=i) for i in picked
    }
    assert bench.count("backfill", tried) == {}


def test_the_control_does_not_survive(bench: Any) -> None:
    """Append, then note it: if this passed, the bench would be blind."""
    _, steps = bench.undisturbed("append", "naive")
    numbers = range(1, len(steps) + 1)
    killed = {i: _rows(bench.kill("append", i, "naive")) for i in numbers}
    asleep = {i: _rows(bench.stop("append", i, "naive")) for i in numbers}
    bench.control = (
        f"{sum(not p for p in killed.values())} of {len(killed)} kills, "
        f"{sum(not p for p in asleep.values())} of {len(asleep)} sleepers"
    )
    assert any(killed.values()), "a kill between append and note must double rows"
    assert any(asleep.values()), "a sleeper that wakes must double rows"
    assert not killed[1], "killed before it did anything, even this one loses nothing"


def _rows(problems: list[str]) -> list[str]:
    """What concerns the rows: the control's file names are not the same twice anyway."""
    return [problem for problem in problems if "rows, not" in problem]
