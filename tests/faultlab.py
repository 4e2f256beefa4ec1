"""A source of rides whose faults are known: three models on it, and what is done to its files.

Rides have numbers and a category; whether one is late, how many minutes it takes and how it is
rated follow from them by rules that can be changed. Everything goes through the stages: files are
published, scored, monitored and decided on, as in production.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.unit.published import publish

from trimtab import metrics
from trimtab.adapters import evidently
from trimtab.adapters.evidently import DriftPage
from trimtab.config.columns import primary_metric
from trimtab.environment import Environment, open_environment
from trimtab.ledger import champion
from trimtab.monitoring import blocks
from trimtab.serving import trial
from trimtab.stages import loading
from trimtab.stages.features import build_features
from trimtab.stages.monitor import monitor
from trimtab.stages.score import score
from trimtab.stages.train import train
from trimtab.types import ROLE, TARGET, Candidate, GateVerdict
from trimtab.watch import Triage

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
    outcome follows, ``delivery`` what arrives of it all; ``first`` is done to the models before.
    ``right`` is the answer by task.
    """

    name: str
    right: Mapping[str, str]
    inputs: Do = lambda rides, draw: None
    rule: Mapping[str, Any] = field(default_factory=dict)
    delivery: Do = lambda rides, draw: None
    rows: int = ROWS
    first: Callable[[Path, tuple[str, ...]], None] = lambda home, models: None
    tasks: tuple[str, ...] = ("late", "minutes", "rating")


def rides(window: int, fault: Fault | None = None, *, seed: int = 0) -> pl.DataFrame:
    """One window's file, with the fault in it; those that are learnt from are below zero."""
    draw = np.random.default_rng([seed, window + LEARNT])
    n = fault.rows if fault else ROWS
    first = START + timedelta(days=DAYS * (LEARNT + window))
    spread = np.linspace(0, DAYS, n, endpoint=False)
    frame: Frame = {
        "ride": np.arange(n) + (window + LEARNT) * 1_000_000,
        "at": [first + timedelta(days=float(day)) for day in spread],
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


def quick(patch: pytest.MonkeyPatch) -> None:
    """Models are tried in this process, and nobody looks at Evidently's page."""
    patch.setattr("trimtab.stages.trial.trial", trial.hold)
    patch.setattr(evidently, "write_drift_page", lambda *_, **__: DriftPage("empty"))


def here(patch: pytest.MonkeyPatch, home: Path) -> None:
    """Let ledger and tracking be files of a home."""
    patch.setenv("TRIMTAB_LEDGER", f"sqlite:///{home / 'ledger.db'}")
    patch.setenv("TRIMTAB_TRACKING", f"sqlite:///{home / 'mlflow.db'}")


def world(home: Path, mlflow_database: Path, models: tuple[str, ...], seed: int = 0) -> Environment:
    """Models that learnt from sixty days, were judged by the gate, and serve."""
    import shutil

    home.mkdir(parents=True)
    shutil.copy(mlflow_database, home / "mlflow.db")
    env = opened(home, models)
    for window in range(-LEARNT, 0):
        publish(env, "rides", rides(window, seed=seed), f"{window}.csv")
    for model in models:
        serve(env, model)
    return env


def opened(home: Path, models: tuple[str, ...], less: str = "") -> Environment:
    """Open the environment below ``home``; ``less`` are features the models do without."""
    configure(home, models, less)
    return open_environment(home=home, config=home / "config")


def configure(home: Path, models: tuple[str, ...], less: str = "", more: str = "") -> None:
    """Write the project below ``home``; ``more`` stands at the end of every model file."""
    texts = {"datasets/rides.yaml": DATASET}
    for model in models:
        told = MODEL.format(model=model, column=model, more=MODELS[model], less=less)
        texts[f"models/{model}.yaml"] = told + more
    for name, text in texts.items():
        (home / "config" / name).parent.mkdir(parents=True, exist_ok=True)
        (home / "config" / name).write_text(text)


def serve(env: Environment, model: str) -> int:
    """Train on everything that is known and let it serve, whatever it is worth."""
    before = champion.current(env.ledger, model)
    candidate = train(env, model, build_features(env, model, force=True).key)
    verdict = judged(env, candidate)
    env.ledger.append("gate", model, f"{candidate.version}:0", verdict.to_json())
    champion.swap(
        env.ledger, model, candidate.version, expected=before, action="promote", actor="auto",
        reason="tests",
    )  # fmt: skip
    return candidate.version


def judged(env: Environment, candidate: Candidate) -> GateVerdict:
    """The primary metric on the hold-out with its error by days: a gate without its rules."""
    features = candidate.features
    name = primary_metric(env.project.model(candidate.model), features.task)
    stored = pl.scan_parquet(env.lake / features.uri).filter(pl.col(ROLE) == "holdout").collect()
    loaded = loading.load(env, candidate)
    given, truth = loaded.predict(stored.to_pandas()), stored[TARGET].to_numpy()
    days = stored["at"].dt.date().cast(pl.String).to_numpy()
    seen = blocks.spread(
        lambda keep: metrics.score(name, truth[keep], given[keep], loaded.classes), days
    )
    return GateVerdict(
        model=candidate.model, version=candidate.version, verdict="PROMOTE", reasons=(), rules=(),
        primary=name, value=seen.value, interval=seen.interval or (seen.value, seen.value),
        rows=stored.height,
    )  # fmt: skip


def _set(column: str, change: Callable[[Any, np.random.Generator], Any]) -> Do:
    def do(rides: Frame, draw: np.random.Generator) -> None:
        rides[column] = change(rides[column], draw)

    return do


def _gone(share: float) -> Callable[[Any, np.random.Generator], Any]:
    return lambda values, draw: [
        None if gone else float(value)
        for value, gone in zip(values, draw.random(len(values)) < share, strict=True)
    ]


def _unlabelled(rides: Frame, draw: np.random.Generator) -> None:
    for name in MODELS:
        rides[name] = [None] * len(rides[name])


def _twice(rides: Frame, draw: np.random.Generator) -> None:
    """Every third row is delivered again under another key."""
    again = np.arange(len(rides["ride"])) % 3 == 0
    for name, values in rides.items():
        kept = np.asarray(values, dtype=object)
        rides[name] = [*kept, *kept[again]]
    rides["ride"] = np.arange(len(rides["ride"])) + int(min(rides["ride"]))


def _of(kind: str, column: str, change: Callable[[Any], Any]) -> Do:
    """What only the rides of one kind have: they come from a source of their own."""

    def do(rides: Frame, draw: np.random.Generator) -> None:
        values = np.asarray(rides[column])
        rides[column] = np.where(np.asarray(rides["kind"]) == kind, change(values), values)

    return do


def _swapped(rides: Frame, draw: np.random.Generator) -> None:
    rides["km"], rides["warmth"] = rides["warmth"], rides["km"]


def _all(answer: str) -> dict[str, str]:
    return dict.fromkeys(MODELS, answer)


BROKEN, ASIDE = "quarantine", "watch"
FAULTS = (
    Fault("nothing", _all("nothing")),
    Fault("km in metres", _all(BROKEN), delivery=_set("km", lambda v, _: v * 1000)),
    Fault("km in miles", _all(BROKEN), delivery=_set("km", lambda v, _: v / 1.609344)),
    Fault("warmth in Fahrenheit", _all(BROKEN), delivery=_set("warmth", lambda v, _: v * 1.8 + 32)),
    Fault("warmth missing in 30 %", _all(BROKEN), delivery=_set("warmth", _gone(0.3))),
    Fault("km all missing", _all(BROKEN), delivery=_set("km", _gone(1.0))),
    Fault(
        "load filled with -9",
        _all(BROKEN),
        delivery=_set("load", lambda v, d: np.where(d.random(len(v)) < 0.4, -9.0, v)),
    ),
    Fault(
        "van renamed",
        _all(BROKEN),
        delivery=_set("kind", lambda v, _: np.where(v == "van", "VAN-2", v)),
    ),
    Fault(
        "every kind in upper case",
        _all(BROKEN),
        delivery=_set("kind", lambda v, _: np.char.upper(v)),
    ),
    Fault("a fifth of the rows", _all(BROKEN), rows=ROWS // 5),
    Fault("a third of the rows twice", _all(BROKEN), delivery=_twice),
    Fault("half of the file", _all(BROKEN), rows=ROWS // 2),
    Fault(
        "some km in metres",
        _all(BROKEN),
        delivery=_set("km", lambda v, d: np.where(d.random(len(v)) < 0.2, v * 1000, v)),
    ),
    Fault("km of cars in metres", _all(BROKEN), delivery=_of("car", "km", lambda v: v * 1000)),
    Fault("km of cars in miles", _all(BROKEN), delivery=_of("car", "km", lambda v: v / 1.609344)),
    Fault(
        "warmth of vans in Fahrenheit",
        _all(BROKEN),
        delivery=_of("van", "warmth", lambda v: v * 1.8 + 32),
    ),
    Fault(
        "warmth of buses missing",
        _all(BROKEN),
        delivery=_of("bus", "warmth", lambda v: np.full(len(v), np.nan)),
    ),
    Fault("load of vans stuck", _all(BROKEN), delivery=_of("van", "load", lambda v: v * 0 + 0.1)),
    Fault(
        "bikes renamed",
        _all(BROKEN),
        delivery=_set("kind", lambda v, _: np.where(v == "bike", "BI", v)),
    ),
    Fault("km and warmth swapped", _all(BROKEN), delivery=_swapped),
    Fault("vans go further", _all(ASIDE), inputs=_of("van", "km", lambda v: v * 1.3 + 4)),
    Fault("buses are fuller", _all(ASIDE), inputs=_of("bus", "load", lambda v: v + 2)),
    Fault("cars go in the cold", _all(ASIDE), inputs=_of("car", "warmth", lambda v: v * 0.6 - 2)),
    Fault(
        "no bikes any more",
        _all(ASIDE),
        inputs=_set("kind", lambda v, _: np.where(v == "bike", "car", v)),
    ),
    Fault("load moves", _all(ASIDE), inputs=_set("load", lambda v, _: v + 0.8)),
    Fault(
        "more vans",
        _all(ASIDE),
        inputs=_set("kind", lambda v, d: np.where(d.random(len(v)) < 0.3, "van", v)),
    ),
    Fault("it gets colder", _all(ASIDE), inputs=_set("warmth", lambda v, _: v - 6)),
    Fault(
        "a new kind of ride",
        _all(ASIDE),
        inputs=_set("kind", lambda v, d: np.where(d.random(len(v)) < 0.15, "moped", v)),
    ),
    Fault("load works the other way", _all("retrain"), rule={"load": -0.7}),
    Fault("km count for nothing", _all("retrain"), rule={"km": 0.0}),
    Fault(
        "long rides, which are otherwise",
        _all("retrain"),
        inputs=_set("km", lambda v, _: v + 7),
        rule={"far": 0.5},
    ),
    Fault("minutes drift up", {"minutes": "retrain"}, rule={"plus": 1.2}, tasks=("minutes",)),
    Fault("more rides are late", {"late": "recalibrate"}, rule={"plus": 1.0}, tasks=("late",)),
    Fault("labels stop", _all("wait"), delivery=_unlabelled),
    Fault(
        "labels stop while load moves",
        _all("wait"),
        inputs=_set("load", lambda v, _: v + 0.8),
        delivery=_unlabelled,
    ),
)
ACTS = ("quarantine", "recalibrate", "retrain", "roll_back", "escalate")


def _weaker(home: Path, models: tuple[str, ...]) -> None:
    """Another version serves, which has learnt from less than the one before it."""
    without = opened(home, models, less=", km, kind")
    for model in models:
        serve(without, model)
    opened(home, models)


def _in_vain(home: Path, models: tuple[str, ...]) -> None:
    """Three retrainings for a loss have been refused by the gate."""
    env = opened(home, models)
    for model in models:
        [trained], [gate] = env.ledger.events("training", model), env.ledger.events("gate", model)
        for version in (2, 3, 4):
            key = f"v{version}{trained.key[2:]}"  # no hash begins so
            features = {**trained.payload["features"], "cause": "performance"}
            made = {**trained.payload, "version": version, "key": key, "features": features}
            env.ledger.append("training", model, key, made)
            refused = {**gate.payload, "version": version, "verdict": "REJECT"}
            env.ledger.append("gate", model, f"{version}:1", refused)


def all_faults() -> tuple[Fault, ...]:
    """Those of the data, and those that the models' own history makes."""
    return (
        *FAULTS,
        Fault("a champion that has learnt less", _all("roll_back"), first=_weaker),
        Fault(
            "outcomes nobody can foresee", _all("escalate"), rule={"spread": 3.0}, first=_in_vain
        ),
    )


def play(env: Environment, models: tuple[str, ...], fault: Fault, *, seed: int) -> None:
    """Two good windows, then four with the fault."""
    for window in range(6):
        if window == 2:
            fault.first(env.home, models)
            env = opened(env.home, models)
        frame = rides(window, fault if window >= 2 else None, seed=seed)
        score_and_watch(env, models, frame, window)


def score_and_watch(
    env: Environment, models: tuple[str, ...], frame: pl.DataFrame, window: int
) -> None:
    """Publish a file, score it, monitor it, decide on it."""
    publish(env, "rides", frame, f"{window}.csv")
    for model in models:
        score(env, model)
        monitor(env, model)


def decided(env: Environment, model: str) -> list[Triage]:
    """Every triage of a model, oldest first."""
    return [Triage.model_validate(e.payload) for e in env.ledger.events("triage", model)]


def answer(found: Sequence[Triage]) -> str:
    """What was done about it in the end: what may change anything counts before what may not."""
    done = [each.action for each in found]
    acts = [action for action in done if action in ACTS]
    if acts:
        return " then ".join(dict.fromkeys(acts))
    return next((action for action in reversed(done) if action != "nothing"), "nothing")
