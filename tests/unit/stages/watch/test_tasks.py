"""Several classes, and a number: from training to a decision, with labels that come later.

Parcels of a week are scored, looked at, and looked at again when another dataset tells how it went:
a quiet week, one with other parcels, and one in which the same parcels go otherwise.
"""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.unit.published import publish

from trimtab.environment import Environment, open_environment
from trimtab.serving import trial
from trimtab.stages import monitor as stage
from trimtab.stages.approve import approve
from trimtab.stages.evaluate import evaluate
from trimtab.stages.features import build_features
from trimtab.stages.monitor import monitor
from trimtab.stages.promote import promote
from trimtab.stages.score import score
from trimtab.stages.train import train
from trimtab.watch import Finding, Observation, RetrainDecision, Triage

START = datetime(2026, 1, 1, tzinfo=UTC)
LEARNT, WEEK, ROWS = 8, timedelta(days=7), 400  # weeks that are learnt from; rows of each
DATASETS = {
    "parcels": """
dataset: parcels
owner: tests
source: {kind: files, uri: landing/parcels}
key: [parcel]
time: at
columns:
  parcel: {type: int}
  at: {type: time}
  weight: {type: float}
  distance: {type: float}
  kind: {type: category}
  hours: {type: float, nullable: true, known_after: delivery}
  outcome: {type: category, nullable: true, known_after: delivery}
""",
    "delivered": """
dataset: delivered
owner: tests
source: {kind: files, uri: landing/delivered}
key: [parcel]
columns:
  parcel: {type: int}
  hours: {type: float}
  outcome: {type: category}
""",
}
MODEL = """
model: {target}_of
purpose: Tell how a parcel goes before it is sent, for the tests.
owner: tests
limits: Knows the parcels of one depot.
oversight: The depot's planner reads the weekly page.
data: {{from: parcels}}
target: {{column: {target}, delay: 1d}}
features: {{exclude: [at]}}
split: {{holdout: 14d}}
train: {{candidates: [linear], min_rows: 500, tune: {{trials: 1}}}}
gate: {{primary: {primary}, min: {least}, min_rows: 300, versus_champion: {{resamples: 100}}}}
approve: auto
monitor: {{min_rows: 200, persist: 1 of 1, performance_drop: {drop}, labels: {{dataset: delivered}}}}
retrain: {{cooldown: 1d, min_new_rows: 100}}
"""
TASKS: dict[str, dict[str, Any]] = {
    "outcome": {"primary": "neg_log_loss", "least": -1.0, "drop": 0.05},
    "hours": {"primary": "neg_mean_absolute_error", "least": -5.0, "drop": 0.3},
}


def parcels(week: int, *, heavier: float = 0.0, turned: bool = False) -> pl.DataFrame:
    """A week's parcels with how they went; ``turned``: distance counts the other way round."""
    draw = np.random.default_rng(week)
    weight, distance = draw.normal(heavier, 1, ROWS), draw.normal(size=ROWS)
    kind = draw.choice(["box", "tube", "bag"], ROWS)
    s = weight + (-1.2 if turned else 1.2) * distance + (kind == "tube") * 0.8
    told = s + draw.logistic(0, 0.5, ROWS)
    begin = START + week * WEEK
    return pl.DataFrame(
        {
            "parcel": np.arange(ROWS) + week * ROWS,
            "at": [begin + i * WEEK / ROWS for i in range(ROWS)],
            "weight": weight,
            "distance": distance,
            "kind": kind,
            "hours": 20 + 4 * s + draw.normal(0, 2, ROWS),
            "outcome": np.select([told < -0.8, told < 1.2], ["early", "due"], "late"),
        }
    )


@pytest.fixture(scope="module", params=list(TASKS))
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path
) -> Environment:
    """A version that was trained, judged by the gate, approved and promoted; three weeks on."""
    place = tmp_path_factory.mktemp(request.param)
    (place / "home").mkdir()
    shutil.copy(mlflow_database, place / "home" / "mlflow.db")
    texts = {f"datasets/{name}.yaml": text for name, text in DATASETS.items()}
    model = f"{request.param}_of"
    texts[f"models/{model}.yaml"] = MODEL.format(target=request.param, **TASKS[request.param])
    for name, text in texts.items():
        (place / "config" / name).parent.mkdir(parents=True, exist_ok=True)
        (place / "config" / name).write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIMTAB_LEDGER", f"sqlite:///{place / 'home' / 'ledger.db'}")
        patch.setenv("TRIMTAB_TRACKING", f"sqlite:///{place / 'home' / 'mlflow.db'}")
        patch.setattr("trimtab.stages.trial.trial", trial.hold)
        patch.setattr(stage, "_pages", lambda look, seen, compared: seen)  # no page: quicker
        env = open_environment(home=place / "home", config=place / "config")
        learnt = pl.concat([parcels(week) for week in range(LEARNT)])
        publish(env, "parcels", learnt, "learnt.csv")
        candidate = train(env, model, build_features(env, model).key)
        verdict = evaluate(env, model, candidate.version)
        assert verdict.verdict == "PROMOTE", verdict.reasons
        approve(env, model, candidate.version)
        promote(env, model, candidate.version)
        week(env, model, LEARNT, parcels(LEARNT))
        week(env, model, LEARNT + 1, parcels(LEARNT + 1, heavier=0.7))
        week(env, model, LEARNT + 2, parcels(LEARNT + 2, turned=True))
    return env


def week(env: Environment, model: str, number: int, rows: pl.DataFrame) -> None:
    """Score the parcels and look at them; then hear how they went and look again."""
    unknown = rows.with_columns(hours=pl.lit(None, pl.Float64), outcome=pl.lit(None, pl.String))
    publish(env, "parcels", unknown, f"{number}.csv")
    score(env, model)
    monitor(env, model)
    publish(env, "delivered", rows.select("parcel", "hours", "outcome"), f"{number}_went.csv")
    monitor(env, model)


def looks(env: Environment, number: int) -> list[tuple[Observation, Triage]]:
    """Every look at a week's parcels with what was made of it: at first, and at the labels."""
    (model,) = env.project.models
    begin = START + number * WEEK
    events = env.ledger.events("observation", model)
    found = [Observation.model_validate(event.payload) for event in events]
    mine = [o for o in found if o.newest and begin <= o.newest < begin + WEEK]
    said = [env.ledger.find("triage", model, o.key) for o in mine]
    return [(o, Triage.model_validate(t.payload)) for o, t in zip(mine, said, strict=True) if t]


def of(window: Observation, signal: str) -> Finding:
    return next(f for f in window.findings if f.signal == signal)


def test_a_quiet_week_is_quiet_before_and_after_the_labels(served: Environment) -> None:
    (first, quiet), (later, still), (full, _) = looks(served, LEARNT)
    assert (quiet.cause, still.cause) == ("nothing", "nothing")
    assert (first.labelled, later.labelled, full.labelled) == (0, 342, 400), "a day is not due yet"
    assert of(first, "estimated").value == pytest.approx(of(full, "performance").value, abs=0.15)
    assert "342 of 400 rows with a known label" in of(later, "performance").note


def test_other_parcels_without_a_loss_are_watched(served: Environment) -> None:
    (_, before), (later, after), *_ = looks(served, LEARNT + 1)
    assert {before.action, after.action} == {"watch"}
    assert "data:weight" in before.evidence
    assert "without a loss" in after.reason
    assert of(later, "concept").status == "ok"


def test_the_same_parcels_that_go_otherwise_ask_for_a_training(served: Environment) -> None:
    (first, before), (later, after), *_ = looks(served, LEARNT + 2)
    assert before.action in ("nothing", "watch"), "nobody can know before the labels"
    assert of(first, "data").status == "ok"
    assert (after.cause, after.action) == ("concept_drift", "retrain")
    assert {of(later, "performance").status, of(later, "concept").status} == {"moved"}
    decided = served.ledger.find("retrain_decision", later.model, later.key)
    assert decided is not None
    assert RetrainDecision.model_validate(decided.payload).retrain
    assert served.ledger.find("retrain_request", later.model, later.key) is not None
