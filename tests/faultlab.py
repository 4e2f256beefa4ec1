"""A source of rides whose faults are known: three models on it, and what is done to its files.

Rides have numbers and a category; whether one is late, how many minutes it takes and how it is
rated follow from them by rules that can be changed. Everything goes through the stages: files are
published, scored, monitored and decided on, as in production.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from tests.unit.published import publish

from trimtab.environment import Environment, open_environment
from trimtab.ledger import champion
from trimtab.stages.evaluate import evaluate
from trimtab.stages.features import build_features
from trimtab.stages.train import train

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS, ROWS = 10, 1000  # of a window
LEARNT = 6  # windows the models learn from
DATASET = """
dataset: rides
owner: tests
source: {kind: files, uri: landing/rides}
key: [ride]
time: at
columns:
  ride: {type: int}
  at: {type: time}
  km: {type: float, nullable: true}
  warmth: {type: float, nullable: true}
  load: {type: float, nullable: true}
  noise: {type: float}
  kind: {type: category, nullable: true}
  late: {type: bool, nullable: true, known_after: arrival}
  minutes: {type: float, nullable: true, known_after: arrival}
  rating: {type: category, nullable: true, known_after: arrival}
"""
MODEL = """
model: {model}
purpose: Tell how a ride goes, for the tests.
owner: tests
data: {{from: rides}}
target: {{column: {column}{more}, delay: 2d}}
features: {{exclude: [at{less}]}}
split: {{holdout: 15d}}
train: {{candidates: [linear], min_rows: 100, tune: {{trials: 1}}}}
gate: {{min_rows: 100}}
retrain: {{cooldown: 5d, min_new_rows: 500, max_per_month: 9}}
"""
MODELS = {"late": ", positive: true", "minutes": "", "rating": ""}
KINDS = {"car": 0.0, "van": 0.6, "bus": 1.2, "bike": -1.0}
Frame = dict[str, Any]
Do = Callable[[Frame, np.random.Generator], None]


@dataclass(frozen=True)
class Fault:
    """What is done to files from one window on, and which answer of triage is right.

    ``inputs`` changes what happens in the world before the outcome is drawn, ``rule`` how the
    outcome follows, ``delivery`` what arrives of it all. ``right`` is by task where it differs.
    """

    name: str
    right: Mapping[str, str]
    inputs: Do = lambda rides, draw: None
    rule: Mapping[str, Any] = field(default_factory=dict)
    delivery: Do = lambda rides, draw: None
    rows: int = ROWS
    tasks: tuple[str, ...] = ("late", "minutes", "rating")


def rides(window: int, fault: Fault | None = None, *, seed: int = 0, rows: int = 0) -> pl.DataFrame:
    """One window's file, with the fault in it when there is one."""
    draw = np.random.default_rng([seed, window + 1])
    n = rows or (fault.rows if fault else ROWS)
    days = DAYS * (LEARNT if window < 0 else 1)
    first = START + timedelta(days=DAYS * (LEARNT + window) if window >= 0 else 0)
    frame: Frame = {
        "ride": np.arange(n) + (window + 1) * 1_000_000,
        "at": [first + timedelta(days=float(s)) for s in np.linspace(0, days, n, endpoint=False)],
        "km": draw.gamma(4.0, 2.5, n),
        "warmth": draw.normal(15.0, 6.0, n),
        "load": draw.normal(size=n),
        "noise": draw.normal(size=n),
        "kind": draw.choice(list(KINDS), p=[0.4, 0.3, 0.2, 0.1], size=n),
    }
    if fault:
        fault.inputs(frame, draw)
    _outcome(frame, draw, **(fault.rule if fault else {}))
    if fault:
        fault.delivery(frame, draw)
    return pl.DataFrame(frame, strict=False)


def _outcome(
    frame: Frame,
    draw: np.random.Generator,
    *,
    load: float = 0.7,
    km: float = 0.2,
    plus: float = 0.0,
    far: float = 0.0,
    spread: float = 1.0,
) -> None:
    """How the ride goes: ``far`` turns long rides round, ``spread`` is what nobody can foresee."""
    kind = np.array([KINDS.get(name, 0.0) for name in frame["kind"]])
    x = np.nan_to_num(frame["km"])
    s = km * (x - 10) + 0.06 * (frame["warmth"] - 15) + load * frame["load"] + kind - 0.3 + plus
    s = s - far * np.maximum(x - 18, 0)
    frame["late"] = (draw.logistic(0, 0.7 * spread, len(s)) < s).tolist()
    frame["minutes"] = 30 + 5 * s + draw.normal(0, 4 * spread, len(s))
    told = s + draw.normal(0, 0.6 * spread, len(s))
    frame["rating"] = np.select([told < -0.6, told < 0.8], ["good", "fair"], "bad").tolist()


def world(home: Path, mlflow_database: Path, models: tuple[str, ...], seed: int = 0) -> Environment:
    """Models that learnt from sixty days, were judged by the gate, and serve."""
    import shutil

    home.mkdir(parents=True)
    shutil.copy(mlflow_database, home / "mlflow.db")
    env = opened(home, models)
    publish(env, "rides", rides(-1, seed=seed, rows=LEARNT * ROWS), "history.csv")
    for model in models:
        serve(env, model)
    return env


def opened(home: Path, models: tuple[str, ...], less: str = "") -> Environment:
    """Open the environment below ``home``; ``less`` are features the models do without."""
    texts = {"datasets/rides.yaml": DATASET}
    for model in models:
        told = MODEL.format(model=model, column=model, more=MODELS[model], less=less)
        texts[f"models/{model}.yaml"] = told
    for name, text in texts.items():
        (home / "config" / name).parent.mkdir(parents=True, exist_ok=True)
        (home / "config" / name).write_text(text)
    return open_environment(home=home, config=home / "config")


def serve(env: Environment, model: str) -> int:
    """Train on everything that is known and let it serve, whatever the gate says."""
    before = champion.current(env.ledger, model)
    candidate = train(env, model, build_features(env, model, force=True).key)
    evaluate(env, model, candidate.version)
    champion.swap(
        env.ledger, model, candidate.version, expected=before, action="promote", actor="auto",
        reason="tests",
    )  # fmt: skip
    return candidate.version
