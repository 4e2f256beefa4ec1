"""Labels that come late: by upsert, in a dataset of their own, after a delay. No row counts twice."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from trimtab.environment import Environment, open_environment
from trimtab.errors import NotReadyError
from trimtab.ledger import champion
from trimtab.stages import monitor as stage
from trimtab.stages.features import build_features
from trimtab.stages.intake import take
from trimtab.stages.monitor import monitor
from trimtab.stages.score import score
from trimtab.stages.train import train
from trimtab.stages.watch import arrivals, labels, truth
from trimtab.types import GateVerdict
from trimtab.watch import Finding, Observation

DATASETS = {
    "visits": """
dataset: visits
owner: tests
source: {kind: files, uri: landing/visits}
write: upsert
key: [visit]
time: at
columns:
  visit: {type: int}
  at: {type: time}
  a: {type: float}
  b: {type: float}
  basket: {type: text, nullable: true}
  bought: {type: bool, nullable: true, known_after: week}
""",
    "orders": """
dataset: orders
owner: tests
source: {kind: files, uri: landing/orders}
write: upsert
key: [visit]
columns:
  visit: {type: int}
  bought: {type: bool}
""",
    "answers": """
dataset: answers
owner: tests
source: {kind: files, uri: landing/answers}
key: [answer]
time: said
columns:
  answer: {type: int}
  said: {type: time}
  prediction_id: {type: text}
  basket: {type: text, nullable: true}
  bought: {type: bool}
""",
}
MODEL = """
model: {name}
purpose: Say which visits will end in a purchase, for the tests.
owner: tests
data: {{from: visits}}
target: {{column: bought, positive: true, delay: 2d}}
features: {{exclude: [at, basket]}}
split: {{holdout: 8d}}
gate: {{min_rows: 100}}
train: {{candidates: [linear], min_rows: 100, tune: {{trials: 1}}}}
monitor: {{min_rows: 100{more}}}
"""
START, ROWS, DAYS = datetime(2026, 1, 1, tzinfo=UTC), 600, 20


def visits(part: int, *, known: bool, flip: float = 0.0) -> pl.DataFrame:
    draw = np.random.default_rng(part)
    a = draw.normal(size=ROWS)
    odds = np.where(draw.random(ROWS) < flip, -2 * a, 2 * a)
    bought = draw.random(ROWS) < 1 / (1 + np.exp(-odds))
    step = timedelta(days=DAYS) / ROWS
    return pl.DataFrame(
        {
            "visit": np.arange(ROWS) + part * ROWS,
            "at": [START + part * timedelta(days=DAYS) + i * step for i in range(ROWS)],
            "a": a,
            "b": draw.normal(size=ROWS),
            "basket": [f"{part}-{i}" if i % 3 else None for i in range(ROWS)],
            "bought": bought if known else [None] * ROWS,
        }
    )


def opened(place: Path, patch: pytest.MonkeyPatch) -> Environment:
    home = place / "home"
    patch.setenv("TRIMTAB_LEDGER", f"sqlite:///{home / 'ledger.db'}")
    patch.setenv("TRIMTAB_TRACKING", f"sqlite:///{home / 'mlflow.db'}")
    return open_environment(home=home, config=place / "config")


def deliver(env: Environment, dataset: str, rows: pl.DataFrame, name: str) -> None:
    file = env.home / name
    rows.with_columns(pl.col(pl.Datetime).dt.strftime("%Y-%m-%dT%H:%M:%SZ")).write_csv(file)
    assert take(env, dataset, file).verdict == "accepted"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> Path:
    """Two models with a champion each; a second part is scored, its labels are still missing."""
    place = tmp_path_factory.mktemp("labels")
    for folder in ("config/datasets", "config/models", "home"):
        (place / folder).mkdir(parents=True)
    for name, text in DATASETS.items():
        (place / f"config/datasets/{name}.yaml").write_text(text)
    for name, more in (("buyer", ""), ("shopper", ", labels: {dataset: orders}")):
        text = MODEL.format(name=name, more=more)
        (place / f"config/models/{name}.yaml").write_text(text)
    shutil.copy(mlflow_database, place / "home" / "mlflow.db")
    with pytest.MonkeyPatch.context() as patch:
        env = opened(place, patch)
        deliver(env, "visits", visits(0, known=True), "first.csv")
        for name in ("buyer", "shopper"):
            candidate = train(env, name, build_features(env, name).key)
            gate = GateVerdict(
                model=name, version=1, verdict="PROMOTE", reasons=(), rules=(), primary="roc_auc",
                value=0.87, interval=(0.83, 0.91), rows=candidate.features.holdout_rows,
            )  # fmt: skip
            env.ledger.append("gate", name, "1:0", gate.to_json())
            champion.swap(
                env.ledger, name, 1, expected=None, action="promote", actor="auto", reason="first"
            )
        deliver(env, "visits", visits(1, known=False), "second.csv")
        for name in ("buyer", "shopper"):
            score(env, name)
    return place


@pytest.fixture
def env(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    shutil.copytree(world, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(stage, "_pages", lambda look, seen, compared: seen)  # no page: quicker
    return opened(tmp_path, monkeypatch)


def of(seen: Observation, signal: str) -> Finding:
    return next(f for f in seen.findings if f.signal == signal)


def test_without_labels_the_metric_is_estimated(env: Environment) -> None:
    (seen,) = monitor(env, "buyer")
    assert seen.labelled == 0
    assert of(seen, "performance").status == "not_enough_data"
    assert "0 of 600 rows with a known label" in of(seen, "performance").note
    guess = of(seen, "estimated")
    assert guess.status == "ok"
    assert guess.value == pytest.approx(0.87, abs=0.06)
    assert guess.p_value is not None
    with pytest.raises(NotReadyError, match="nothing to observe"):
        monitor(env, "buyer")


def test_an_upsert_reaches_the_window_its_rows_were_scored_in(env: Environment) -> None:
    monitor(env, "buyer")
    half = visits(1, known=True, flip=0.4).head(300)
    deliver(env, "visits", half, "second_half.csv")
    score(env, "buyer")
    restated, later = monitor(env, "buyer")
    assert (later.partition, later.labels_at, later.key) == (
        monitor_first(env).partition, 2, f"{monitor_first(env).sha256}:2",
    )  # fmt: skip
    assert later.labelled == 300
    assert {f.signal for f in later.findings} == {"performance", "concept", "calibration"}
    assert of(later, "performance").status != "not_enough_data"
    assert of(later, "performance").current_rows == 300
    assert of(restated, "performance").current_rows == 0, "no row counts twice"
    assert "300 more count in the window they were first scored in" in (
        of(restated, "performance").note
    )
    with pytest.raises(NotReadyError):
        monitor(env, "buyer")
    deliver(env, "visits", visits(1, known=True, flip=0.4).tail(300), "rest.csv")
    score(env, "buyer")
    third = monitor(env, "buyer")[-1]
    assert (third.labels_at, third.labelled) == (3, 540), "the last two days are not due"


def monitor_first(env: Environment) -> Observation:
    return Observation.model_validate(env.ledger.events("observation", "buyer")[0].payload)


def test_labels_of_another_dataset(env: Environment) -> None:
    (first,) = monitor(env, "shopper")
    assert first.labelled == 0
    truth_of = visits(1, known=True, flip=0.5).select("visit", "bought")
    deliver(env, "orders", truth_of, "orders.csv")
    (later,) = monitor(env, "shopper")
    assert (later.labels_at, later.labelled) == (0, 540), "what is not due is not used"
    assert of(later, "performance").p_value == pytest.approx(0, abs=0.01)
    assert of(later, "concept").expected == pytest.approx(0.87, abs=0.08)
    deliver(env, "visits", visits(2, known=False).head(200), "third.csv")
    score(env, "shopper")
    seen = monitor(env, "shopper")
    assert [o.labels_at for o in seen] == [None], "no new labels: no new look"
    deliver(env, "orders", truth_of.head(5).with_columns(visit=pl.col("visit") + ROWS), "o.csv")
    (last,) = monitor(env, "shopper")
    assert (last.sha256, last.labels_at, last.labelled) == (first.sha256, 1, 600), "all are due"
    with pytest.raises(NotReadyError):
        monitor(env, "shopper")


def restated(rows: pl.DataFrame, count: int) -> pl.DataFrame:
    """The first so many labels turned."""
    first = pl.int_range(pl.len()) < count
    return rows.with_columns(bought=pl.col("bought") ^ first)


def test_labels_that_were_seen_and_are_others_now_are_looked_at_again(env: Environment) -> None:
    monitor(env, "shopper")
    truth_of = visits(1, known=True).select("visit", "bought")
    deliver(env, "orders", truth_of, "orders.csv")
    (good,) = monitor(env, "shopper")
    deliver(env, "orders", restated(truth_of, 20), "few.csv")
    with pytest.raises(NotReadyError):  # of 600: not worth a look
        monitor(env, "shopper")
    deliver(env, "orders", restated(truth_of, 300), "many.csv")
    (bad,) = monitor(env, "shopper")
    assert (bad.labelled, bad.labels_at) == (540, 2)
    assert "300 of them changed since the last look" in of(bad, "performance").note
    assert (of(bad, "performance").value or 1) < (of(good, "performance").value or 0) - 0.2
    deliver(env, "orders", restated(truth_of, 300).reverse(), "again.csv")
    with pytest.raises(NotReadyError):
        monitor(env, "shopper")
    merged = labels.observations(env.ledger.events("observation", "shopper"))
    assert [o.labels_at for o in merged] == [2], "the window is known by its last look"


def test_restated_labels_of_the_scored_dataset_reach_the_window_that_had_them(
    env: Environment,
) -> None:
    (first,) = monitor(env, "buyer")
    deliver(env, "visits", visits(1, known=True), "labels.csv")
    deliver(env, "visits", visits(2, known=True).head(300), "next.csv")
    score(env, "buyer")
    (full,) = [o for o in monitor(env, "buyer") if o.sha256 == first.sha256]
    assert full.labelled == 600
    wrong = visits(1, known=True).with_columns(~pl.col("bought"))
    deliver(env, "visits", wrong.head(150), "corrected.csv")
    score(env, "buyer")
    (again,) = [o for o in monitor(env, "buyer") if o.sha256 == first.sha256]
    assert again.labels_at == 4
    assert "150 of them changed" in of(again, "performance").note


def test_a_version_that_retention_removed_is_not_compared_with(env: Environment) -> None:
    monitor(env, "shopper")
    truth_of = visits(1, known=True).select("visit", "bought")
    deliver(env, "orders", truth_of, "orders.csv")
    monitor(env, "shopper")
    deliver(env, "orders", restated(truth_of, 300), "many.csv")
    gone = {"dataset": "orders", "versions": [0]}
    env.ledger.append("retention", "orders", "0", gone)
    assert [scoring.sha256 for scoring, _ in arrivals.due(env, env.project.model("shopper"))] == []


def answers(env: Environment, first: int = 0) -> pl.DataFrame:
    """What people said of each prediction of the second part, a day after the visit."""
    named = pl.read_delta(str(env.predictions("shopper"))).select("visit", "prediction_id")
    rows = visits(1, known=True).join(named, on="visit", maintain_order="left")
    said = rows.with_columns(pl.col("at") + timedelta(days=1)).rename({"at": "said"})
    said = said.with_columns(answer=pl.int_range(pl.len()) + first)
    return said.select("answer", "said", "prediction_id", "basket", "bought")


def by(env: Environment, place: Path, patch: pytest.MonkeyPatch, found: str) -> Environment:
    """The same world with another way to the labels, or other numbers that read them."""
    more = ", labels: {dataset: " + found + ("]" if "kpi" in found else "}")
    (place / "config/models/shopper.yaml").write_text(MODEL.format(name="shopper", more=more))
    return opened(place, patch)


def test_labels_by_the_name_of_the_prediction(
    env: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = by(env, tmp_path, monkeypatch, "answers")
    (first,) = monitor(env, "shopper")
    part = answers(env).head(300)
    strange = part.head(40).with_columns(
        pl.col("answer") + 9000, prediction_id=pl.lit("shopper:0123456789abcdef:1")
    )
    deliver(env, "answers", pl.concat([part, strange]), "part.csv")
    (half,) = monitor(env, "shopper")
    assert half.sha256 == first.sha256
    assert half.labelled == 300, "what is said of predictions nobody made finds no row"
    assert "300 of 600 rows with a known label" in of(half, "performance").note
    twice = answers(env, first=2000).with_columns(~pl.col("bought"))  # people change their mind
    deliver(env, "answers", twice, "twice.csv")
    (whole,) = monitor(env, "shopper")
    assert whole.labelled == 570, "one row stays one, and those of the last day are not due"
    assert "300 of them changed since the last look" in of(whole, "performance").note
    assert (of(whole, "performance").value or 1) < 0.3


def test_labels_by_another_column(
    env: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = by(env, tmp_path, monkeypatch, "answers, key: [basket]")
    monitor(env, "shopper")
    deliver(env, "answers", answers(env), "answers.csv")
    (seen,) = monitor(env, "shopper")
    assert seen.labelled == 380, "a third of the rows has no basket, and the last day is not due"
    assert of(seen, "performance").current_rows == 380
    with pytest.raises(NotReadyError):
        monitor(env, "shopper")


KPI = """orders}, kpi: [
    {name: bought, sql: "SELECT avg(target) FROM scored", max: 0.6},
    {name: own, sql: "SELECT count(*) FILTER (bought) FROM scored", min: 200},
    {name: rows, sql: "SELECT count(*) FROM scored", min: 700}"""


def numbers(seen: Observation) -> dict[str | None, Finding]:
    return {f.column: f for f in seen.findings if f.signal == "kpi"}


def test_a_number_that_reads_the_labels_is_computed_again_as_they_come(
    env: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = by(env, tmp_path, monkeypatch, KPI)
    (first,) = monitor(env, "shopper")
    told = numbers(first)
    assert (told["bought"].status, told["own"].status) == ("not_computable", "not_enough_data")
    assert "gave None, which is no number (0 of 600 rows with a known label)" in told["bought"].note
    assert told["own"].note == (
        "0 so far (0 of 600 rows with a known label); judged when all are due"
    ), "nothing sold is no fall while nobody knows what was sold"
    assert told["rows"].status == "moved"
    truth_of = visits(1, known=True).select("visit", "bought")
    deliver(env, "orders", truth_of.head(300), "half.csv")
    (half,) = monitor(env, "shopper")
    assert numbers(half)["bought"].value is None
    assert "so far (300 of 600 rows with a known label)" in numbers(half)["bought"].note
    deliver(env, "visits", visits(2, known=False).head(200), "third.csv")  # time goes on
    score(env, "shopper")
    monitor(env, "shopper")
    deliver(env, "orders", truth_of.tail(300), "rest.csv")
    whole = next(o for o in monitor(env, "shopper") if o.sha256 == first.sha256)
    bought = truth_of["bought"].mean()
    found = numbers(whole)
    assert found["bought"].value == pytest.approx(bought)
    assert (found["bought"].status, found["own"].status) == ("ok", "ok")
    assert found["own"].value == truth_of["bought"].sum(), "its own column says the same"
    assert found["bought"].note.endswith("(600 of 600 rows with a known label)")
    assert found["rows"] == told["rows"], "what reads no label stands as it was"
    ended = env.ledger.events("triage", "shopper")
    assert {event.payload["cause"] for event in ended} == {"off_target"}


def test_numbers_that_read_no_label_are_not_told_again(
    env: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = by(env, tmp_path, monkeypatch, 'orders}, kpi: [{name: n, sql: "SELECT 1 FROM scored"}')
    monitor(env, "shopper")
    deliver(env, "orders", visits(1, known=True).select("visit", "bought"), "orders.csv")
    (later,) = monitor(env, "shopper")
    assert numbers(later) == {}


def test_killed_it_says_the_same_again_and_once(env: Environment) -> None:
    monitor(env, "shopper")
    deliver(env, "orders", visits(1, known=True).select("visit", "bought"), "orders.csv")
    keep: Any = env.ledger.append

    def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(env.ledger, "append", die)
        with pytest.raises(KeyboardInterrupt):
            monitor(env, "shopper")
    assert env.ledger.append == keep
    spec = env.project.model("shopper")
    ((scoring, moment),) = arrivals.due(env, spec)
    here, there = (stage.observe(env, scoring, moment) for _ in range(2))
    assert here == there, "two copies at once"
    assert len(env.ledger.events("observation", "shopper")) == 2
    assert arrivals.due(env, spec) == []


def test_the_hold_outs_file_is_built_again_when_gone(env: Environment) -> None:
    monitor(env, "buyer")
    (file,) = (env.lake / "profiles" / "buyer").glob("*.truth.parquet")
    before = pl.read_parquet(file)
    assert {truth.BLOCK, "_target", "_prediction", "a", "b"} <= {*before.columns}
    file.unlink()
    look = stage.look_at(env, labels.Scoring.model_validate(
        env.ledger.events("scoring", "buyer")[0].payload
    ))  # fmt: skip
    assert truth.hold_out(look) is not None
    assert pl.read_parquet(file).equals(before)
