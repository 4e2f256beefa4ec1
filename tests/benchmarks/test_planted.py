"""What is planted is refused, by the name of the rule that looks for it; a sound version passes.

uv run --all-extras pytest tests/benchmarks/test_planted.py -m benchmark -s

``DRAWS`` makes it smaller: as many draws of the visits and the noise for each plant in data or
answers. Plants in the files of a version are made once each, in a model that was really trained.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tampering import nan_leaf, one_byte, other_metrics, other_training, pickled, plant, same
from trimtab.environment import Environment
from trimtab.stages.evaluate import evaluate
from trimtab.types import TARGET, GateVerdict
from visits import (
    BEGIN,
    FAIR,
    TRAINING,
    World,
    asking,
    files,
    leaking,
    publish,
    rows,
    serve_first,
    stand_in,
)

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]
DRAWS = int(os.environ.get("DRAWS", "20"))
ROWS, CUT = 12_000, BEGIN + timedelta(days=46)
LOOSE = {"margin: 0.01": "margin: 0.2", "min: 0.6\n": "min: 0.55\n", "MODE": "non_inferior"}
OpenEnv = Callable[[dict[str, str]], Environment]


@dataclass(frozen=True)
class Plant:
    """The rule that has to say it, and what is wrong with the challenger or its rows."""

    rule: str
    answers: dict[str, Any] = field(default_factory=dict)
    change: Callable[[pl.DataFrame], pl.DataFrame] = pl.DataFrame.clone
    earlier: int = 0  # days that its hold-out reaches into what the champion was trained on


PLANTS = {
    "bias: one shop scores higher": Plant(
        "fairness_shop_demographic_parity", {"favoured": "north"}
    ),
    "bad slice: one shop is guessed": Plant("slice_floor", {"bad_shop": "south"}),
    "leak: a feature is the target": Plant("leaks", change=leaking),
    "overlap: 6 days of hold-out known": Plant("unseen_rows", earlier=6),
    "NaN weights that no answer shows": Plant(
        "numerical_health", {"weights": np.array([1.0, np.nan])}
    ),
    "NaN answers": Plant("challenger_answers", {"answer": "nan"}),
}
FILES: dict[str, tuple[str, Callable[[Path], None], bool]] = {
    "corrupted artifact: one byte": ("serves_as_recorded", one_byte, False),
    "artifact replaced, hashes fitted": ("serves_as_recorded", pickled, True),
    "NaN weights: one leaf of a tree": ("numerical_health", nan_leaf, True),
    "stale metrics file": ("package_as_recorded", other_metrics, True),
    "model.json of another training": ("package_as_recorded", other_training, True),
}


def named(verdict: GateVerdict, rule: str) -> bool:
    """Whether the verdict refuses, and for this reason."""
    return verdict.verdict == "REJECT" and rule in {r.name for r in verdict.rules if not r.passed}


def folded(data: pl.DataFrame) -> pl.DataFrame:
    """What only trees can learn: the signal's size says something, its side does not."""
    side = pl.Series(np.random.default_rng(7).choice([-1.0, 1.0], data.height))
    return data.with_columns(signal=(pl.col("signal") + pl.col(TARGET)) * side)


def test_plants_in_data_and_answers(open_env: OpenEnv, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = f"{FAIR}\n  slice_floor: 0.6"
    world = World(open_env(files(**asking(asked), **LOOSE)))
    stand_in(world, monkeypatch)
    world.champion(1, until=CUT)
    told = [f"{'planted':<36}{'refused by':<36}of {DRAWS}"]
    version, missed = 2, {}
    for name, made in {"nothing": Plant(""), **PLANTS}.items():
        count = 0
        for draw in range(DRAWS):
            data = rows(ROWS, seed=version).with_columns(visit=pl.col("visit") + version * ROWS)
            verdict = world.judged(
                version,
                data=made.change(data),
                until=CUT - timedelta(days=made.earlier),
                **{"noise": 0.1, "seed": draw, **made.answers},
            )
            count += named(verdict, made.rule) if made.rule else verdict.verdict == "PROMOTE"
            version += 1
        told.append(f"{name:<36}{made.rule or 'promoted':<36}{count}")
        if made.rule and count < DRAWS:
            missed[name] = count
        if not made.rule:
            assert count >= 0.9 * DRAWS, "a gate that refuses everything would find all of these"
    print("\n" + "\n".join(told))
    assert not missed


def test_plants_in_the_files_of_a_version(open_env: OpenEnv) -> None:
    project = files()
    project["models/buys.yaml"] += TRAINING.replace("linear", "boosted_trees")
    env = open_env(project)
    publish(env, folded(rows(4000)))
    serve_first(env)
    plant(env, same)
    assert evaluate(env, "buys", 2).verdict == "PROMOTE", "the planting itself changes nothing"
    told, missed = [f"{'planted':<36}{'refused by':<36}all that refused"], []
    for version, (name, (rule, change, signed)) in enumerate(FILES.items(), 3):
        plant(env, change, signed=signed, version=version)
        verdict = evaluate(env, "buys", version)
        found = ", ".join(r.name for r in verdict.rules if not r.passed)
        told.append(f"{name:<36}{rule:<36}{found}")
        if not named(verdict, rule):
            missed.append(name)
    print("\n" + "\n".join(told))
    assert not missed
