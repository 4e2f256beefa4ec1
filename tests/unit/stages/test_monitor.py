"""The stages on a small model that was really trained: three files, the third one drifted."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.unit.published import publish

from trimtab.adapters import evidently
from trimtab.environment import Environment, open_environment
from trimtab.errors import NotReadyError
from trimtab.ledger import champion, versions
from trimtab.monitoring.profile import ReferenceProfile
from trimtab.stages import retrain
from trimtab.stages.act import act
from trimtab.stages.calibrate import calibration
from trimtab.stages.decide import decide
from trimtab.stages.features import build_features
from trimtab.stages.monitor import monitor
from trimtab.stages.revert import revert
from trimtab.stages.score import score
from trimtab.stages.train import train
from trimtab.stages.watch import expected
from trimtab.stages.watch import look as look_module
from trimtab.types import GateVerdict
from trimtab.watch import Observation, RetrainDecision

BAD = "<script>alert(1)</script>"
DATASET = """
dataset: trips
owner: tests
source: {kind: files, uri: landing/trips}
key: [id]
time: at
partition: month
columns:
  id: {type: int}
  at: {type: time}
  a: {type: float, nullable: true}
  b: {type: float}
  flat: {type: float}
  kind: {type: category}
  late: {type: bool, nullable: true, known_after: arrival}
"""
MODEL = """
model: delay
purpose: Say which trips will be late, for the tests.
owner: tests
data: {from: trips}
target: {column: late, positive: true, delay: 3d}
features: {exclude: [at]}
split: {holdout: 10d}
gate: {min_rows: 100}
train: {candidates: [linear], min_rows: 100, tune: {trials: 1}}
monitor: {min_rows: 200, persist: 1 of 1}
retrain: {when: [new_data, drift, performance], cooldown: 20d, min_new_rows: 500}
"""
START = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = 1500


def trips(month: int, *, drift: bool = False) -> pl.DataFrame:
    draw = np.random.default_rng(month)
    a, b = draw.normal(size=ROWS), draw.normal(size=ROWS)
    late = draw.random(ROWS) < 1 / (1 + np.exp(-2 * a))
    frame = pl.DataFrame(
        {
            "id": np.arange(ROWS) + month * ROWS,
            "at": [START.replace(month=1 + month) + timedelta(minutes=24 * i) for i in range(ROWS)],
            "a": a,
            "b": b,
            "flat": np.ones(ROWS),
            "kind": draw.choice(["x", "y"], size=ROWS),
            "late": [bool(value) if i % 10 else None for i, value in enumerate(late)],
        }
    )
    if not drift:
        return frame
    wrong = pl.when(pl.col("late").is_not_null()).then(pl.lit(draw.random(ROWS) < 0.5))
    return frame.with_columns(pl.col("a") + 3, kind=pl.lit(BAD), late=wrong)


def opened(home: Path, config: Path, patch: pytest.MonkeyPatch) -> Environment:
    patch.setenv("TRIMTAB_LEDGER", f"sqlite:///{home / 'ledger.db'}")
    patch.setenv("TRIMTAB_TRACKING", f"sqlite:///{home / 'mlflow.db'}")
    return open_environment(home=home, config=config)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> Path:
    """January trained, judged and promoted; February and a drifted March scored."""
    place = tmp_path_factory.mktemp("world")
    home, config = place / "home", place / "config"
    for folder, name, text in (("datasets", "trips", DATASET), ("models", "delay", MODEL)):
        (config / folder).mkdir(parents=True)
        (config / folder / f"{name}.yaml").write_text(text)
    home.mkdir()
    shutil.copy(mlflow_database, home / "mlflow.db")
    with pytest.MonkeyPatch.context() as patch:
        env = opened(home, config, patch)
        publish(env, "trips", trips(0), "january.csv")
        candidate = train(env, "delay", build_features(env, "delay").key)
        gate = GateVerdict(
            model="delay", version=1, verdict="PROMOTE", reasons=(), rules=(), primary="roc_auc",
            value=0.8, interval=(0.77, 0.83), rows=candidate.features.holdout_rows,
        )  # fmt: skip
        env.ledger.append("gate", "delay", "1:0", gate.to_json())
        champion.swap(
            env.ledger, "delay", 1, expected=None, action="promote", actor="auto", reason="first"
        )
        publish(env, "trips", trips(1), "february.csv")
        publish(env, "trips", trips(2, drift=True), "march.csv")
        score(env, "delay")
    return place


@pytest.fixture(scope="module")
def observed(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same world after one run of the monitor."""
    place = tmp_path_factory.mktemp("observed")
    shutil.copytree(world, place, dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        monitor(opened(place / "home", place / "config", patch), "delay")
    return place


@pytest.fixture
def after(observed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    shutil.copytree(observed, tmp_path, dirs_exist_ok=True)
    return opened(tmp_path / "home", tmp_path / "config", monkeypatch)


@pytest.fixture
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Evidently crashes: quick, and nothing else may change."""

    def crash(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("inside the report")

    monkeypatch.setattr(evidently, "_save", crash)


def seen_by(env: Environment) -> list[Observation]:
    events = env.ledger.events("observation", "delay")
    return [Observation.model_validate(event.payload) for event in events]


@pytest.fixture
def env(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    shutil.copytree(world / "home", tmp_path / "home")
    return opened(tmp_path / "home", world / "config", monkeypatch)


@pytest.fixture
def sent(env: Environment, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    messages: list[tuple[Any, ...]] = []
    monkeypatch.setattr(env.notifier, "send", lambda *words: messages.append(words))
    return messages


def findings(seen: Observation) -> dict[str | None, str]:
    told = ("data", "joint", "prediction", "performance")
    return {f.column or f.statistic: f.status for f in seen.findings if f.signal in told}


def windows(observations: list[Observation]) -> list[Observation]:
    """The first look at each; labels that came later are looked at again in the same run."""
    return [seen for seen in observations if seen.labels_at is None]


@pytest.mark.usefixtures("no_page")
def test_every_scored_file_is_observed_once_in_order(
    env: Environment, sent: list[tuple[Any, ...]]
) -> None:
    february, march = windows(monitor(env, "delay"))
    assert (february.partition, march.partition) == ("2026-02", "2026-03")
    assert findings(february) == {
        "a": "ok", "b": "ok", "flat": "not_computable", "kind": "ok",
        "reconstruction_psi": "ok", "prediction": "ok", "roc_auc": "ok",
    }  # fmt: skip
    assert february.alarm == ()
    assert findings(march) == {
        "a": "moved", "b": "ok", "flat": "not_computable", "kind": "moved",
        "reconstruction_psi": "moved", "prediction": "moved", "roc_auc": "moved",
    }  # fmt: skip
    loud = {alarm.signal for alarm in march.alarm}
    assert loud >= {"quality", "data", "joint", "prediction", "performance"}
    assert sent == [], "who tells people is act"
    with pytest.raises(NotReadyError, match="nothing to observe"):
        monitor(env, "delay")


def test_labels_that_cannot_be_known_yet_are_not_used(after: Environment) -> None:
    february = seen_by(after)[0]
    known = trips(1).filter(
        pl.col("late").is_not_null(), pl.col("at") + timedelta(days=3) <= pl.col("at").max()
    )
    assert february.labelled == known.height < ROWS * 0.9
    assert f"({known.height:,} of 1,500 rows with a known label)" in february.summary


@pytest.mark.usefixtures("no_page")
def test_rows_the_version_was_trained_on_are_not_judged(env: Environment) -> None:
    """A promotion of a version trained later than the file leaves most of the file learnt."""
    scoring = env.ledger.events("scoring", "delay")[0].payload
    candidate = versions.candidate(env.ledger, "delay", 1)
    stored = pl.read_parquet(env.lake / candidate.features.uri)
    learnt = stored.with_columns(pl.lit(scoring["sha256"]).alias("_file"))
    learnt.write_parquet(env.lake / candidate.features.uri)
    february = monitor(env, "delay")[0]
    finding = next(f for f in february.findings if f.signal == "performance")
    assert finding.current_rows + 1000 > february.labelled > finding.current_rows
    assert "more were trained on" in finding.note


def test_the_pages_stand_where_the_record_says(after: Environment) -> None:
    march = seen_by(after)[1]
    assert march.report == "models/delay/monitor/2026-03/index.html"
    folder = (after.reports / march.report).parent
    assert sorted(file.name for file in folder.iterdir()) == [
        "evidently.html", "index.html", "observation.json", "pictures.json",
    ]  # fmt: skip
    page = (folder / "index.html").read_text()
    assert BAD not in page
    assert "&lt;script&gt;" in page
    assert "The data are wrong at their source" in page, "every row of one unknown kind"
    assert Observation.model_validate_json((folder / "observation.json").read_text()) == march


@pytest.mark.usefixtures("no_page")
def test_a_crash_of_evidently_does_not_stop_monitoring(env: Environment) -> None:
    march = monitor(env, "delay")[1]
    page = (env.reports / str(march.report)).read_text()
    assert "no page: ZeroDivisionError" in page


def test_the_reference_is_built_once(after: Environment) -> None:
    candidate = versions.candidate(after.ledger, "delay", 1)
    file = after.lake / "profiles" / "delay" / f"{candidate.key[:16]}.json"
    built = ReferenceProfile.model_validate_json(file.read_text())
    assert built.rows == pytest.approx(candidate.features.train_rows / 0.9, rel=0.01), "unlabelled"
    assert built.prediction is not None
    assert built.prediction.rows == pytest.approx(candidate.features.holdout_rows / 0.9, rel=0.01)
    (after.lake / candidate.features.uri).unlink()
    assert look_module.reference_profile(after, candidate) == built
    blocks = expected.features(after, candidate, built)
    assert sum(blocks.rows) == built.rows
    assert len(blocks.starts) == len(blocks.rows) + 1, "the order of time is known"
    for name, before in built.columns.items():
        counts = np.asarray(blocks.counts[name]).sum(axis=0)
        assert tuple(counts) == (*before.counts, before.nulls), name
    assert sum(expected.predictions(after, candidate, built.prediction).rows) > 0


def test_calibrate_speaks_of_the_models_own_volume(after: Environment) -> None:
    found = calibration(after, "delay", windows=60)
    assert (found.version, found.rows) == (1, ROWS)
    assert found.every == pytest.approx(28, abs=4)
    assert found.signals == ("data", "joint", "prediction")
    assert found.false_alarms is not None
    assert found.false_alarms <= found.allowed
    sizes = {(v.signal, v.name, v.what): v.smallest for v in found.visible}
    assert 0 < (sizes["data", "a", "mean"] or 0) < 1
    assert 0 < (sizes["data", "kind", "category"] or 0) < 0.5
    assert 0 < (sizes["data", "b", "missing"] or 0) < 0.5
    assert 0.02 < (sizes["performance", "roc_auc", "metric"] or 0) < 0.2
    assert any("less than 8 windows long" in note for note in found.notes)
    more = calibration(after, "delay", rows=200, every=timedelta(days=1), windows=20)
    wider = {(v.signal, v.name, v.what): v.smallest for v in more.visible}
    assert (wider["data", "a", "mean"] or 9) > (sizes["data", "a", "mean"] or 0), "fewer rows"


@pytest.mark.usefixtures("no_page")
def test_killed_before_the_ledger_it_says_the_same_again(env: Environment) -> None:
    class Killed(BaseException):
        pass

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(env.ledger, "append", die)
        with pytest.raises(Killed):
            monitor(env, "delay")
    first = monitor(env, "delay")
    assert [o.partition for o in windows(first)] == ["2026-02", "2026-03"]


def told(env: Environment, kind: str) -> dict[str, Any]:
    return {event.key: event.payload for event in env.ledger.events(kind, "delay")}


def test_every_window_is_decided_on_before_the_next_is_looked_at(after: Environment) -> None:
    kinds = [event.kind for event in after.ledger.events(subject="delay")]
    words = [kind for kind in kinds if kind in ("observation", "triage", "retrain_decision")]
    looks = len(told(after, "observation"))
    assert words == ["observation", "triage", "retrain_decision"] * looks
    assert list(told(after, "triage")) == list(told(after, "observation"))
    with pytest.raises(NotReadyError, match="nothing to decide"):
        decide(after, "delay")


def test_killed_before_the_decision_the_next_run_comes_to_it(
    env: Environment, no_page: None
) -> None:
    keep: Callable[..., Any] = env.ledger.append

    def until_triage(kind: str, *rest: Any, **more: Any) -> Any:
        if kind == "triage":
            raise KeyboardInterrupt
        return keep(kind, *rest, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(env.ledger, "append", until_triage)
        with pytest.raises(KeyboardInterrupt):
            monitor(env, "delay")
    assert not told(env, "retrain_decision"), "all of it or nothing"
    (march,) = windows(monitor(env, "delay"))
    assert march.partition == "2026-03"
    looks = told(env, "observation")
    assert list(told(env, "triage")) == list(told(env, "retrain_decision")) == list(looks)


def test_what_a_window_asks_for_is_done_and_stands_on_its_page(after: Environment) -> None:
    done = act(after, "delay")
    march = next(each for each in done if each.partition == "2026-03")
    assert not any(each.resolved for each in done), "February's labels say nothing of March"
    triage = told(after, "triage")[march.key]
    assert march.action == triage["action"] != "nothing"
    assert march.told == triage["severity"]
    page = after.reports / str(seen_by(after)[1].report)
    assert march.what[:40] in unescape(page.read_text())
    with pytest.raises(NotReadyError, match="delay: nothing to do"):
        act(after, "delay")


def test_replaying_the_same_events_decides_the_same(after: Environment, tmp_path: Path) -> None:
    from trimtab.ledger import Ledger

    again = Ledger(f"sqlite:///{tmp_path / 'replay.db'}")
    again.create()
    replay = replace(after, ledger=again)
    for event in after.ledger.events():
        if event.kind == "observation":
            again.append(event.kind, event.subject, event.key, event.payload)
            decide(replay, "delay")
        elif event.kind not in ("triage", "retrain_decision", "retrain_request"):
            again.append(event.kind, event.subject, event.key, event.payload, actor=event.actor)
    for kind in ("triage", "retrain_decision", "retrain_request"):
        assert json.dumps(told(replay, kind)) == json.dumps(told(after, kind))


def test_at_most_one_request_is_open(after: Environment) -> None:
    wanted = [key for key, said in told(after, "retrain_decision").items() if said["retrain"]]
    assert wanted
    assert list(told(after, "retrain_request")) == wanted[:1]


def test_a_person_asks(env: Environment) -> None:
    key = retrain.request(env, "delay", actor="ada", reason="new sensor")
    assert key.startswith("manual:")
    assert retrain.request(env, "delay", actor="bob", reason="me too") == key, "one is open"
    env.ledger.append("retrain_closed", "delay", key, {"version": None, "reason": "tests"})
    assert retrain.request(env, "delay", actor="ada", reason="new sensor") != key
    event = env.ledger.events("retrain_request", "delay")[0]
    assert event.actor == "ada"
    assert RetrainDecision.model_validate(event.payload).causes == ("manual",)


@pytest.mark.usefixtures("no_page")
def test_an_observation_joins_a_persons_request(env: Environment) -> None:
    key = retrain.request(env, "delay", actor="ada", reason="new sensor")
    monitor(env, "delay")
    february = next(iter(told(env, "retrain_decision").values()))
    assert f"joins the open request {key[:12]}" in february["reason"]
    assert len(env.ledger.events("retrain_request", "delay")) == 1


@pytest.mark.usefixtures("no_page")
def test_rows_that_were_reverted_since_are_seen_as_they_were_scored(env: Environment) -> None:
    revert(env, "trips", 0, reason="wrong feed", actor="ann")
    february, march = monitor(env, "delay")
    assert (february.rows, march.rows) == (ROWS, ROWS)
    assert march.alarm
