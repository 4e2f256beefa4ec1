"""Whatever somebody does to MLflow by hand is undone and kept; what crashes left is closed."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from trimtab.adapters.tracking import Tracker
from trimtab.clock import FixedClock
from trimtab.environment import Environment, open_environment
from trimtab.ledger import foreign
from trimtab.stages.approve import approve
from trimtab.stages.block import block, unblock
from trimtab.stages.evaluate import evaluate
from trimtab.stages.features import build_features
from trimtab.stages.promote import promote
from trimtab.stages.reconcile import reconcile
from trimtab.stages.train import train
from trimtab.types import ForeignChange

RIGHT = {"champion": "1", "challenger": "2"}


@pytest.fixture(scope="module")
def home(
    tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path, rides: Any, publish: Any
) -> Iterator[Environment]:
    """Version 1 of ``kind`` serves, version 2 is trained; MLflow knows both."""
    place = tmp_path_factory.mktemp("reconcile")
    for name in ("datasets/plants.yaml", "models/kind.yaml"):
        (place / "config" / name).parent.mkdir(parents=True, exist_ok=True)
        text = rides.FILES[name].replace("boosted_trees", "linear")  # passes the gate
        (place / "config" / name).write_text(text)
    (place / "home").mkdir()
    shutil.copy(mlflow_database, place / "home" / "mlflow.db")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("LEDGER", "TRACKING", "STUDIES", "ONLINE"):
            base = {"TRACKING": "mlflow"}.get(name, name.lower())
            patch.setenv(f"TRIMTAB_{name}", f"sqlite:///{place / 'home' / base}.db")
        clock = FixedClock(datetime.now(UTC))
        env = open_environment(home=place / "home", config=place / "config", clock=clock)
        publish(env, "plants", rides.plants(), "one.csv")
        train(env, "kind", build_features(env, "kind").key)
        assert evaluate(env, "kind", 1).verdict == "PROMOTE"
        approve(env, "kind", 1)
        promote(env, "kind", 1)
        publish(env, "plants", rides.plants(500), "two.csv")
        train(env, "kind", build_features(env, "kind", force=True).key)
        yield env


@pytest.fixture
def env(home: Environment) -> Iterator[Environment]:
    """Everything is as it should be, before and after."""
    assert reconcile(home).foreign == ()
    yield home
    assert home.tracker.aliases("kind") == RIGHT
    assert reconcile(home).foreign == ()


def kept(env: Environment) -> list[ForeignChange]:
    events = env.ledger.events("foreign_change", "kind")
    return [ForeignChange.model_validate(event.payload) for event in events]


def test_an_alias_moved_by_hand_is_put_back_and_kept(env: Environment) -> None:
    before = len(kept(env))
    for _ in range(2):
        env.tracker.client.set_registered_model_alias("kind", "champion", "2")
        (change,) = reconcile(env).foreign
        assert (change.what, change.name) == ("alias", "champion")
        assert (change.seen, change.wanted) == ("version 2", "version 1")
        assert env.tracker.aliases("kind") == RIGHT
    assert kept(env)[before:] == [change, change], "the same hand again is another incident"
    assert env.ledger.events("foreign_change", "kind")[-1].actor == "somebody"


def test_aliases_taken_away_come_back(env: Environment) -> None:
    for alias in RIGHT:
        env.tracker.client.delete_registered_model_alias("kind", alias)
    dry = reconcile(env, dry_run=True).foreign
    assert {(c.name, c.seen, c.repaired) for c in dry} == {(a, None, False) for a in RIGHT}
    assert env.tracker.aliases("kind") == {}
    assert len(reconcile(env).foreign) == 2


def test_tags_changed_by_hand_are_put_back(env: Environment) -> None:
    client = env.tracker.client
    client.set_model_version_tag("kind", "1", "trimtab.gate", "REJECT")
    client.set_model_version_tag("kind", "1", "trimtab.version", "9")
    client.delete_model_version_tag("kind", "1", "trimtab.approval")
    client.set_model_version_tag("kind", "2", "trimtab.approval", "approved by me")
    client.set_model_version_tag("kind", "2", "theirs", "stays")
    found = {(c.name, c.seen, c.wanted) for c in reconcile(env).foreign}
    assert found == {
        ("version 1: trimtab.gate", "REJECT", "PROMOTE"),
        ("version 1: trimtab.version", "9", "1"),
        ("version 1: trimtab.approval", None, "approved by auto"),
        ("version 2: trimtab.approval", "approved by me", None),
    }
    assert client.get_model_version("kind", "1").tags["trimtab.gate"] == "PROMOTE"
    assert client.get_model_version("kind", "2").tags["theirs"] == "stays"


def test_a_version_registered_by_hand_never_serves(env: Environment, tmp_path: Path) -> None:
    """Even one that wears our tags: what is ours is known by its run."""
    client = env.tracker.client
    tags = dict(client.get_model_version("kind", "1").tags)
    forged = client.create_model_version("kind", tmp_path.as_uri(), tags=tags)
    client.set_registered_model_alias("kind", "champion", forged.version)
    changes = reconcile(env).foreign
    assert [(c.what, c.repaired) for c in changes] == [("version", False), ("alias", True)]
    assert changes[1].seen == f"MLflow version {forged.version}"
    assert env.tracker.aliases("kind") == RIGHT
    assert env.tracker.knows("kind", 1)
    assert reconcile(env).foreign == (), "it is known and told once"
    client.delete_model_version("kind", forged.version)


def test_killed_between_the_record_and_the_repair_it_is_one_incident(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(kept(env))
    env.tracker.client.set_registered_model_alias("kind", "champion", "2")
    monkeypatch.setattr(Tracker, "point", _killed)
    with pytest.raises(KeyboardInterrupt):
        reconcile(env)
    monkeypatch.undo()
    assert env.tracker.aliases("kind")["champion"] == "2"
    assert len(reconcile(env).foreign) == 1
    assert len(kept(env)) == before + 1


def test_killed_between_the_repair_and_its_record_the_repair_is_recorded(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    env.tracker.client.set_registered_model_alias("kind", "champion", "2")
    monkeypatch.setattr(foreign, "repaired", _killed)
    with pytest.raises(KeyboardInterrupt):
        reconcile(env)
    monkeypatch.undo()
    assert env.tracker.aliases("kind") == RIGHT
    assert len(foreign.unfinished(env.ledger, "kind")) == 1
    assert reconcile(env).foreign == (), "it was told before"
    assert foreign.unfinished(env.ledger, "kind") == []


def _killed(*_: Any) -> None:
    raise KeyboardInterrupt


def test_what_the_next_decision_would_have_covered_up_is_kept(env: Environment) -> None:
    before = len(kept(env))
    env.tracker.client.set_registered_model_alias("kind", "champion", "2")
    block(env, "kind", 2, reason="a test", actor="ana")
    assert [(c.name, c.seen, c.wanted) for c in kept(env)[before:]] == [
        ("champion", "version 2", "version 1")
    ]
    assert env.tracker.aliases("kind") == {"champion": "1"}
    unblock(env, "kind", 2, reason="tested", actor="ana")
    assert len(kept(env)) == before + 1


def test_what_the_server_has_not_heard_is_no_foreign_change(env: Environment) -> None:
    there = env.tracker
    object.__setattr__(env, "tracker", Tracker("http://127.0.0.1:9", env.home / "mlflow"))
    block(env, "kind", 2, reason="a test", actor="ana")
    object.__setattr__(env, "tracker", there)
    found = reconcile(env)
    assert [each.kind for each in found.told] == ["blocked"]
    assert found.foreign == ()
    assert env.tracker.aliases("kind") == {"champion": "1"}, "a blocked version wants nothing"
    blocked = env.tracker.client.get_model_version("kind", "2").tags["trimtab.blocked"]
    assert blocked == "a test (ana)"
    unblock(env, "kind", 2, reason="tested", actor="ana")
    assert "trimtab.blocked" not in env.tracker.client.get_model_version("kind", "2").tags


def test_open_runs_and_models_that_nobody_will_end_are_closed(env: Environment) -> None:
    client = env.tracker.client
    named = client.get_experiment_by_name("kind")
    assert named is not None
    experiment = named.experiment_id
    trained = env.ledger.events("training", "kind")[0].payload
    now = int(env.clock.now().timestamp() * 1000)
    old = now - int(timedelta(hours=2).total_seconds() * 1000)

    def open_run(started: int, **tags: str) -> str:
        made = client.create_run(experiment, started, {f"trimtab.{k}": v for k, v in tags.items()})
        return str(made.info.run_id)

    def open_model(**tags: str) -> str:
        ours = {f"trimtab.{k}": v for k, v in tags.items()}
        return str(client.create_logged_model(experiment, name="model", tags=ours).model_id)

    lost, young = open_run(old, key="ab" * 32), open_run(now, key="cd" * 32)
    doubled, foreign = open_run(old, key=trained["key"]), open_run(old)
    pending, new, theirs = open_model(key=trained["key"]), open_model(key="ef" * 32), open_model()
    assert {e.id for e in reconcile(env, dry_run=True).closed} == {lost, doubled, pending}
    reasons = {each.id: each.reason for each in reconcile(env).closed}
    shown = f"version 1 is shown as run {client.get_model_version('kind', '1').run_id}"
    ended = "its training ended without a version"
    assert reasons == {lost: ended, doubled: shown, pending: shown}
    status = {run: client.get_run(run).info.status for run in (lost, doubled, young, foreign)}
    assert status == {lost: "KILLED", doubled: "KILLED", young: "RUNNING", foreign: "RUNNING"}
    assert client.get_run(lost).data.tags["trimtab.killed"] == ended
    models = {m: str(client.get_logged_model(m).status) for m in (pending, new, theirs)}
    assert models == {pending: "FAILED", new: "PENDING", theirs: "PENDING"}
    assert reconcile(env).closed == ()


def test_the_command_line_puts_right_and_says_so(env: Environment) -> None:
    place = ["--home", str(env.home), "--config", str(env.project.folder)]
    command = [sys.executable, "-m", "trimtab.cli", "reconcile", *place]
    env.tracker.client.set_registered_model_alias("kind", "champion", "2")
    told = [
        subprocess.run([*command, *more], capture_output=True, text=True, check=True).stdout
        for more in (["--dry-run"], [], [])
    ]
    assert "kind: alias champion was version 2; the ledger says version 1" in told[0]
    assert "it is version 1 again, as the ledger says" in told[1]
    assert "shows what the ledger says" in told[2]
