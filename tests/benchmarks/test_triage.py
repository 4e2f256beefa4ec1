"""Faults whose cause is known, through every stage: is what triage asks for right?

make bench        # or: uv run --all-extras pytest tests/benchmarks/test_triage.py -m benchmark -s

Three models (two classes, a number, three classes) of one source; each fault begins in the third
window of a thousand rows and stays. ``SEEDS`` makes it smaller; ``FAULTS`` (parts of names)
and ``TASKS`` pick some, each with commas. Right is a fault whose answer is the one a person would give and before
which nothing else was done: a retraining that comes before the quarantine is wrong.
"""

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from faultlab import MODELS, Fault, all_faults, answer, decided, here, opened, play, quick, world
from trimtab.environment import Environment
from trimtab.stages.watch import page

SEEDS = range(int(os.environ.get("SEEDS", "3")))
ASKED = os.environ.get("FAULTS", "").split(",")
RIGHT = 0.9
TASKS = tuple(os.environ.get("TASKS", ",".join(MODELS)).split(","))


@pytest.fixture
def without_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks at the pages, and models are tried in this process."""
    quick(monkeypatch)
    for name in ("publish", "tell"):
        monkeypatch.setattr(page, name, lambda *_, **__: None)


@pytest.mark.benchmark
@pytest.mark.timeout(4 * 3600)
@pytest.mark.usefixtures("without_pages")
def test_what_is_wrong_gets_the_right_answer(
    tmp_path: Path, mlflow_database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = [f for f in all_faults() if any(name in f.name for name in ASKED)]
    table: Counter[tuple[str, str]] = Counter()
    wrong = []
    for seed in SEEDS:
        start = tmp_path / f"seed{seed}"
        here(monkeypatch, start)
        world(start, mlflow_database, TASKS, seed=seed)
        for number, fault in enumerate(faults):
            home = tmp_path / f"seed{seed}-{number}"
            shutil.copytree(start, home)
            here(monkeypatch, home)
            tasks = tuple(task for task in fault.tasks if task in TASKS)
            env = opened(home, tasks)
            play(env, tasks, fault, seed=seed)
            for task in tasks:
                found = answer(decided(env, task))
                table[fault.right[task], found] += 1
                if found != fault.right[task]:
                    wrong.append(f"{fault.name}, {task}, seed {seed}: {found}")
                    _why(env, task)
                print(f"seed {seed}: {fault.name}, {task}: {found}", flush=True)
            shutil.rmtree(home)
    _printed(table, wrong)
    share = sum(n for (right, found), n in table.items() if right == found) / sum(table.values())
    print(f"\n{share:.1%} right of {sum(table.values())} (goal >= {RIGHT:.0%})")
    assert share >= RIGHT


def _why(env: Environment, task: str) -> None:
    for each in decided(env, task):
        told = f"{each.partition} {each.key[64:]}: {each.cause}, {each.action}: {each.reason}"
        print(f"    {told[:300]}")


def _printed(table: Counter[tuple[str, str]], wrong: list[str]) -> None:
    """The confusion matrix: a line for each right answer, a column for each that was given."""
    given = sorted({found for _, found in table})
    print(f"\n{'right':14}" + "".join(f"{name:>14.14}" for name in given))
    for right in sorted({right for right, _ in table}):
        print(f"{right:14}" + "".join(f"{table[right, name]:14}" for name in given))
    print("\n".join(["", *wrong]))


def test_the_matrix_knows_every_answer() -> None:
    """Every action that triage has is the right one of some fault."""
    answers = {answer for fault in all_faults() for answer in fault.right.values()}
    assert answers == {
        "nothing", "watch", "wait", "quarantine", "recalibrate", "retrain", "roll_back", "escalate",
    }  # fmt: skip
    assert all(isinstance(fault, Fault) for fault in all_faults())
