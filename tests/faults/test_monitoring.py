"""Monitor, decide, act and a calibration survive a fault at every mutating step.

By default a sample of the steps of some scenarios is tried; TRIMTAB_FAULTS=all tries every one.
"""

import os
from typing import Any

import pytest

from faults.watching import SCENARIOS

ALL = os.environ.get("TRIMTAB_FAULTS") == "all"
EVERY = list(SCENARIOS) if ALL else ["monitor", "quarantine"]
LOCKED = ["decide", "quarantine", "retrain", "roll back"] if ALL else ["quarantine"]


def chosen(steps: list[str], *, shift: int) -> list[int]:
    """Numbers of the steps to try: all, or one around a page and one around the ledger."""
    if ALL:
        return list(range(1, len(steps) + 1))
    pages = [i for i, step in enumerate(steps, 1) if "index.html" in step]
    ledger = [i for i, step in enumerate(steps, 1) if step == ("after append", "commit")[shift]]
    first = pages[:2] if shift else []  # a sleeper's page comes after what was told since
    return sorted({*first[-1:], *pages[-1:], *ledger[-1:]})


def test_steps_are_seen(watch_bench: Any) -> None:
    made, steps = watch_bench.undisturbed("quarantine")
    told = " ".join(steps)
    for part in ("append", "commit", "index.html", "messages"):
        assert part in told, f"the bench is blind for {part}"
    kinds = {kind for kind, *_ in made.events}
    assert {"triage", "acted", "incident", "quarantine_advised"} <= kinds
    assert len(made.messages) == 1


@pytest.mark.parametrize("scenario", EVERY)
def test_killed_anywhere_and_run_again(watch_bench: Any, scenario: str) -> None:
    _, steps = watch_bench.undisturbed(scenario)
    tried = {f"{i} {steps[i - 1]}": watch_bench.kill(scenario, i) for i in chosen(steps, shift=0)}
    assert watch_bench.count(f"{scenario} killed", tried) == {}


@pytest.mark.parametrize("scenario", EVERY)
def test_a_sleeper_wakes_after_its_retry(watch_bench: Any, scenario: str) -> None:
    _, steps = watch_bench.undisturbed(scenario)
    tried = {f"{i} {steps[i - 1]}": watch_bench.stop(scenario, i) for i in chosen(steps, shift=1)}
    assert watch_bench.count(f"{scenario} asleep", tried) == {}


@pytest.mark.parametrize("scenario", LOCKED)
def test_a_sleeper_that_lost_its_lock_wakes_after_its_retry(
    watch_bench: Any, scenario: str
) -> None:
    """As a network parts them: the lock is free again, and who held it does not know."""
    _, steps = watch_bench.undisturbed(scenario)
    tried = {
        f"{i} {steps[i - 1]}": watch_bench.stop(scenario, i, unlock=True)
        for i in chosen(steps, shift=0)
    }
    assert watch_bench.count(f"{scenario} cut off", tried) == {}


@pytest.mark.parametrize("scenario", LOCKED)
def test_two_at_once(watch_bench: Any, scenario: str) -> None:
    watch_bench.undisturbed(scenario)
    tried = {"both": watch_bench.together(scenario, only=(None, None))}
    assert watch_bench.count(f"{scenario} at once", tried) == {}


def test_the_control_does_not_survive(watch_bench: Any) -> None:
    """Ask, then note it: if this passed, the bench would be blind."""
    _, steps = watch_bench.undisturbed("quarantine", "naive")
    numbers = range(1, len(steps) + 1)
    killed = {i: watch_bench.kill("quarantine", i, "naive") for i in numbers}
    watch_bench.control = f"{sum(not p for p in killed.values())} of {len(killed)} kills"
    assert any("told otherwise" in str(p) for p in killed.values()), "a kill must ask twice"
