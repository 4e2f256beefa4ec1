"""Evaluate, approve, promote, roll back and reconcile survive a fault at every mutating step.

By default a sample of the steps is tried; TRIMTAB_FAULTS=all tries every one.
"""

import os
from typing import Any

import pytest

from faults.versions import SCENARIOS

ALL = os.environ.get("TRIMTAB_FAULTS") == "all"
TRIED = 2  # steps of a scenario and a fault by default
EVERY = list(SCENARIOS) if ALL else list(SCENARIOS)[1:]


def chosen(steps: list[str], *, shift: int) -> list[int]:
    """Numbers of the steps to try: all, or some spread ones, the ledger's commit among them."""
    if ALL:
        return list(range(1, len(steps) + 1))
    after = [i for i, step in enumerate(steps, 1) if step == "after append"][:1]
    wide = max(1, len(steps) // TRIED)
    return sorted({*after, *range(1 + shift * wide // 2, len(steps) + 1, wide)})[:TRIED]


def test_steps_are_seen(models_bench: Any) -> None:
    _, steps = models_bench.undisturbed("evaluate")
    told = " ".join(steps)
    for part in ("append", "commit", "reports/"):
        assert part in told, f"the bench is blind for {part}"
    champions, _ = models_bench.undisturbed("promote")
    assert champions.issued == [1, 2], "a process like these issues papers"


@pytest.mark.parametrize("scenario", EVERY)
def test_killed_anywhere_and_run_again(models_bench: Any, scenario: str) -> None:
    _, steps = models_bench.undisturbed(scenario)
    tried = {f"{i} {steps[i - 1]}": models_bench.kill(scenario, i) for i in chosen(steps, shift=0)}
    assert models_bench.count(f"{scenario} killed", tried) == {}


@pytest.mark.parametrize("scenario", EVERY)
def test_a_sleeper_wakes_after_its_retry(models_bench: Any, scenario: str) -> None:
    _, steps = models_bench.undisturbed(scenario)
    tried = {f"{i} {steps[i - 1]}": models_bench.stop(scenario, i) for i in chosen(steps, shift=1)}
    assert models_bench.count(f"{scenario} asleep", tried) == {}


@pytest.mark.parametrize("scenario", ["promote", "rollback"])
def test_two_at_once(models_bench: Any, scenario: str) -> None:
    models_bench.undisturbed(scenario)
    tried = {"both": models_bench.together(scenario, only=(None, None))}
    assert models_bench.count(f"{scenario} at once", tried) == {}


def test_the_control_does_not_survive(models_bench: Any) -> None:
    """Move the alias, then count: if this passed, the bench would be blind."""
    _, steps = models_bench.undisturbed("promote", "naive")
    numbers = range(1 if ALL else len(steps) // 2, len(steps) + 1)  # around the note at the end
    killed = {i: models_bench.kill("promote", i, "naive") for i in numbers}
    asleep = {i: models_bench.stop("promote", i, "naive") for i in numbers}
    models_bench.control = (
        f"{sum(not p for p in killed.values())} of {len(killed)} kills, "
        f"{sum(not p for p in asleep.values())} of {len(asleep)} sleepers"
    )
    assert any("told otherwise" in str(p) for p in killed.values()), "a kill must count twice"
    assert any("told otherwise" in str(p) for p in asleep.values()), "a sleeper must count twice"
