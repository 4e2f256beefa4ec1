"""Attribution, fairness and slices of a model that was really trained, on real scored files."""

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.unit.published import publish
from typer.testing import CliRunner

from trimtab.adapters import evidently
from trimtab.cli import app
from trimtab.environment import Environment, open_environment
from trimtab.errors import NotReadyError
from trimtab.ledger import champion
from trimtab.monitoring import report
from trimtab.stages.features import build_features
from trimtab.stages.monitor import monitor
from trimtab.stages.score import score
from trimtab.stages.train import train
from trimtab.stages.watch import attribution, fairness, slices
from trimtab.stages.watch import page as pages
from trimtab.stages.watch.look import Look, look_at
from trimtab.stages.watch.told import told
from trimtab.types import GateVerdict, Scoring
from trimtab.watch import Acted, Finding

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
  a: {type: float}
  b: {type: float}
  c: {type: float}
  region: {type: category}
  sex: {type: category}
  late: {type: bool, nullable: true, known_after: arrival}
"""
MODEL = """
model: delay
purpose: Say which trips will be late, for the tests.
owner: tests
data: {from: trips}
target: {column: late, positive: true}
features: {exclude: [at, sex]}
split: {holdout: 15d}
gate:
  min_rows: 100
  slices: [region]
  fairness: {columns: [sex], demographic_parity: 0.2, error: 0.2}
train: {candidates: [linear], min_rows: 100, tune: {trials: 1}}
monitor: {min_rows: 200, slices: [region, c], slice_min_rows: 150}
"""
START = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = 2400


def trips(month: int, *, moved: bool = False) -> pl.DataFrame:
    """``moved``: b spreads out, the south is shifted and unpredictable, women are a and late."""
    draw = np.random.default_rng(month)
    a, b, c = draw.normal(size=(3, ROWS))
    region, sex = draw.choice(["north", "south"], ROWS), draw.choice(["f", "m"], ROWS)
    south = region == "south"
    if moved:
        b = b * 6
        a = a + np.where(sex == "f", 1.5, 0.0)
        c = c + np.where(south, 2.0, 0.0)
    late = draw.random(ROWS) < 1 / (1 + np.exp(-2 * a - 0.3 * b))
    if moved:
        late = np.where(south, draw.random(ROWS) < 0.5, late)
    return pl.DataFrame(
        {
            "id": np.arange(ROWS) + month * ROWS,
            "at": [START.replace(month=1 + month) + timedelta(minutes=18 * i) for i in range(ROWS)],
            "a": a,
            "b": b,
            "c": c,
            "region": region,
            "sex": sex,
            "late": late,
        }
    )


@pytest.fixture(scope="module")
def looks(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> Iterator[list[Look]]:
    """A quiet February and a March in which everything has moved."""
    place = tmp_path_factory.mktemp("people")
    home, config = place / "home", place / "config"
    for folder, name, text in (("datasets", "trips", DATASET), ("models", "delay", MODEL)):
        (config / folder).mkdir(parents=True)
        (config / folder / f"{name}.yaml").write_text(text)
    home.mkdir()
    shutil.copy(mlflow_database, home / "mlflow.db")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIMTAB_LEDGER", f"sqlite:///{home / 'ledger.db'}")
        patch.setenv("TRIMTAB_TRACKING", f"sqlite:///{home / 'mlflow.db'}")
        env = open_environment(home=home, config=config)
        publish(env, "trips", trips(0), "january.csv")
        promoted(env)
        publish(env, "trips", trips(1), "february.csv")
        publish(env, "trips", trips(2, moved=True), "march.csv")
        score(env, "delay")
        events = env.ledger.events("scoring", "delay")
        yield [look_at(env, Scoring.model_validate(event.payload)) for event in events]


def promoted(env: Environment) -> None:
    candidate = train(env, "delay", build_features(env, "delay").key)
    gate = GateVerdict(
        model="delay", version=1, verdict="PROMOTE", reasons=(), rules=(), primary="roc_auc",
        value=0.8, interval=(0.77, 0.83), rows=candidate.features.holdout_rows,
    )  # fmt: skip
    env.ledger.append("gate", "delay", "1:0", gate.to_json())
    champion.swap(
        env.ledger, "delay", 1, expected=None, action="promote", actor="auto", reason="first"
    )


def database(env: Environment) -> dict[str, str]:
    return {
        "TRIMTAB_LEDGER": f"sqlite:///{env.home / 'ledger.db'}",
        "TRIMTAB_TRACKING": f"sqlite:///{env.home / 'mlflow.db'}",
    }


def chance(finding: Finding) -> float:
    assert finding.p_value is not None, finding
    return finding.p_value


def by_name(compared: list[slices.Comparison]) -> dict[str, Finding]:
    return {f"{c.finding.column or c.finding.statistic}": c.finding for c in compared}


@pytest.fixture(scope="module")
def env(looks: list[Look]) -> Environment:
    """The same world after one run of the monitor; Evidently's page is not what this is about."""

    def crash(*_: object, **__: object) -> None:
        raise ZeroDivisionError("no page")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evidently, "_save", crash)
        monitor(looks[0].env, "delay")
    return looks[0].env


def test_attribution_tells_which_features_the_answers_rest_on(looks: list[Look]) -> None:
    quiet, moved = (by_name(attribution.attributed(look)) for look in looks)
    assert quiet["ndcg"].value == pytest.approx(1.0, abs=0.03)
    assert all(chance(f) > 0.001 for f in quiet.values())
    assert (moved["b"].value or 0) > (moved["b"].expected or 0) + 0.2
    assert moved["b"].beyond == "above"
    assert chance(moved["b"]) < 1e-6
    assert set(moved) == {"ndcg", "a", "b", "c", "region"}


def test_groups_are_compared_with_the_limits_of_the_gate(looks: list[Look]) -> None:
    quiet, moved = ({c.finding.statistic: c.finding for c in fairness.fair(look)} for look in looks)
    assert set(quiet) == {"demographic_parity", "equalized_odds", "error"}
    assert chance(quiet["demographic_parity"]) > 0.5
    assert chance(moved["demographic_parity"]) < 1e-6
    assert moved["demographic_parity"].note.startswith("rate of positive answers: f ")
    low, high = moved["demographic_parity"].interval or (0, 0)
    assert low < (moved["demographic_parity"].value or 0) < high
    assert moved["equalized_odds"].p_value is None, "no limit, no alarm"


def test_slices_are_compared_with_themselves(looks: list[Look]) -> None:
    quiet, moved = ({c.finding.slice: c.finding for c in slices.data(look)} for look in looks)
    assert {"region=north", "region=south"} < set(quiet)
    assert len([name for name in quiet if str(name).startswith("c=")]) == 4, "quarters"
    assert all(chance(f) > 1e-4 for f in quiet.values())
    assert moved["region=south"].column in ("c", "b", "a")
    assert chance(moved["region=south"]) < 1e-6


def test_a_slice_gets_worse_alone(looks: list[Look]) -> None:
    quiet, moved = ({c.finding.slice: c.finding for c in slices.realised(look)} for look in looks)
    assert all(chance(f) > 0.001 for f in quiet.values())
    assert chance(moved["region=south"]) < 1e-6
    assert chance(moved["region=north"]) > 0.01
    assert moved["region=north"].reference_rows < quiet["region=north"].current_rows


def test_references_are_built_once(looks: list[Look]) -> None:
    look = looks[0]
    attribution.attributed(look), slices.data(look)
    folder = look.env.lake / "profiles" / "delay"
    before = {file: file.stat().st_mtime_ns for file in folder.iterdir()}
    attribution.attributed(look), slices.data(look)
    assert {file: file.stat().st_mtime_ns for file in folder.iterdir()} == before
    assert {file.name.split(".")[1] for file in folder.iterdir()} >= {"attribution", "slices"}


def test_a_page_tells_what_was_decided_and_done(env: Environment) -> None:
    seen = told(env, "delay").windows[-1]
    file = Path(seen.page or "")
    page = file.read_text()
    assert seen.triage is not None
    assert seen.triage.reason.split(";")[0] in page
    assert "What the answers rest on" in page
    assert "Parts of the rows" in page
    assert "b where region=" in page or "c where region=" in page
    assert "made by march.csv" in page
    acted = Acted(
        model="delay", key=seen.triage.key, partition="p", cause="upstream_fault",
        action="quarantine", outcome="asked", what="Call <Ann>.", command="trimtab x",
    )  # fmt: skip
    env.ledger.append("acted", "delay", acted.key, acted.to_json())
    pages.tell(env, "delay", acted.key)
    after = file.read_text()
    assert "Call &lt;Ann&gt;. <code>trimtab x</code>" in after
    assert after.count("<rect") == page.count("<rect"), "pictures are drawn again without the rows"


def test_a_page_that_cannot_be_written_stops_nothing(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("disk is full")

    monkeypatch.setattr(report, "write", full)
    pages.tell(env, "delay", told(env, "delay").windows[0].observation.key)
    pages.tell(env, "delay", "unknown")


def test_windows_are_told_since_a_time(env: Environment) -> None:
    every = told(env, "delay")
    names = [window.observation.partition for window in every.windows]
    assert len(names) == 2
    assert [w.observation.partition for w in told(env, "delay", "2026-03-05").windows] == names[1:]
    assert len(told(env, "delay", "2026").windows) == 2
    with pytest.raises(NotReadyError, match="no window was observed since 2027"):
        told(env, "delay", "2027-01-01T00:00")
    assert every.windows[1].retrain is not None


def test_the_verb_prints_the_same(env: Environment) -> None:
    options = ["monitor", "delay", "--config", str(env.home.parent / "config"), "--home"]
    shown = CliRunner().invoke(app, [*options, str(env.home)], env=database(env))
    assert shown.exit_code == 0, shown.output
    assert "what monitoring saw" in shown.output
    told_json = CliRunner().invoke(app, [*options, str(env.home), "--json"], env=database(env))
    document = json.loads(told_json.stdout)
    findings = document["windows"][1]["observation"]["findings"]
    assert {"signal", "statistic", "value", "threshold", "p_value", "current_rows"} <= set(
        findings[0]
    )
    assert document["windows"][1]["triage"]["action"]
