"""Before a version may serve: packages, records and data that were tampered with are refused."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from tampering import (
    hashes,
    no_answers,
    one_byte,
    other_answers,
    other_metrics,
    other_training,
    other_worth,
    pickled,
    plant,
    rewrite,
    same,
    with_code,
    with_pickle,
)
from trimtab.environment import Environment
from trimtab.errors import DependencyError, GateRefusedError, IntegrityError, TrimtabError
from trimtab.ledger import champion, versions
from trimtab.serving import loader
from trimtab.stages import train as training
from trimtab.stages.approve import approve
from trimtab.stages.evaluate import evaluate
from trimtab.stages.features import build_features
from trimtab.stages.promote import promote
from trimtab.stages.rollback import rollback
from trimtab.stages.train import train
from trimtab.types import GateVerdict
from visits import TRAINING, publish, serve_first

MINE = ("serves_as_recorded", "package_as_recorded", "data_unchanged", "human_text")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the home of a champion is kept, once there is one."""
    return tmp_path_factory.mktemp("served") / "home"


@pytest.fixture
def empty(
    open_env: Callable[[dict[str, str]], Environment],
    make_files: Callable[..., dict[str, str]],
) -> Environment:
    """An environment with published visits and nothing trained."""
    files = make_files()
    files["models/buys.yaml"] += TRAINING
    env = open_env(files)
    publish(env)
    return env


@pytest.fixture
def env(empty: Environment, kept: Path) -> Environment:
    """The same with version 1 as champion; the first test trains it, the others take a copy."""
    if not kept.exists():
        serve_first(empty)
        empty.ledger.engine.dispose()
        shutil.copytree(empty.home, kept)
    else:
        empty.ledger.engine.dispose()
        shutil.rmtree(empty.home)
        shutil.copytree(kept, empty.home)
    return empty


def failed(verdict: GateVerdict) -> set[str]:
    return {rule.name for rule in verdict.rules if not rule.passed}


def still_serves(env: Environment) -> bool:
    """Version 1 is champion, and its model answers."""
    now = champion.current(env.ledger, "buys")
    one = versions.candidate(env.ledger, "buys", 1)
    rows = pl.read_parquet(env.lake / one.features.uri).head(10).to_pandas()
    return (
        now is not None and now.version == 1 and len(loader.load(env.lake, one).predict(rows)) == 10
    )


def test_a_sound_version_is_tried_measured_and_promoted(env: Environment) -> None:
    verdict = versions.newest_verdict(env.ledger, "buys", 1)
    assert verdict is not None
    told = {rule.name: rule for rule in verdict.rules}
    assert all(told[name].passed for name in (*MINE, "size", "latency", "memory"))
    assert "recorded rows as recorded" in told["serves_as_recorded"].reason
    assert set(verdict.operation) == {"size", "latency", "memory"}
    assert verdict.operation["latency"] > 0
    file = env.lake / versions.candidate(env.ledger, "buys", 1).uri / "model.skops"
    assert verdict.operation["size"] == file.stat().st_size
    assert still_serves(env)
    assert env.ledger.events("load_refused") == []


@pytest.mark.usefixtures("fresh_process")
def test_the_gate_tries_it_in_a_process_of_its_own(env: Environment) -> None:
    again = evaluate_planted(env, same)
    assert again.verdict == "PROMOTE", again.reasons  # the planting itself changes nothing


def evaluate_planted(env: Environment, change: Callable[[Path], None], **how: Any) -> GateVerdict:
    plant(env, change, **how)
    return evaluate(env, "buys", 2)


def test_a_model_that_would_run_a_command_is_refused_and_the_old_champion_serves(
    env: Environment,
) -> None:
    """S01."""
    ran = env.home / "ran"

    def evil(folder: Path) -> None:
        step = FunctionTransformer(os.system, kw_args={"command": f"touch {ran}"})
        model = make_pipeline(step, LogisticRegression())
        (folder / "model.skops").write_bytes(skops.io.dumps(model))
        rewrite(folder / "model.json", skops_trusted_types=["posix.system"])

    verdict = evaluate_planted(env, evil)
    assert verdict.verdict == "REJECT"
    assert failed(verdict) == {"serves_as_recorded"}
    assert "posix.system, which trimtab does not load" in verdict.reasons[0]
    event = env.ledger.latest("load_refused", "buys")
    assert event is not None
    assert event.payload["version"] == 2
    assert "posix.system" in event.payload["reason"]
    with pytest.raises(GateRefusedError, match="cannot be approved"):
        approve(env, "buys", 2)
    with pytest.raises(GateRefusedError, match="may not be promoted"):
        promote(env, "buys", 2)
    assert still_serves(env)
    assert not ran.exists()


@pytest.mark.parametrize(
    ("change", "signed", "rules", "said"),
    [
        (pickled, True, {"serves_as_recorded"}, "never a pickle"),
        (with_pickle, True, {"serves_as_recorded", "package_as_recorded"}, "lists model.pkl"),
        (
            with_code,
            True,
            {"serves_as_recorded", "package_as_recorded"},
            "lists MLmodel, code/sly.py",
        ),
        (one_byte, False, {"serves_as_recorded", "package_as_recorded"}, "the ledger says"),
        (other_worth, False, {"package_as_recorded"}, "File importance.json of the version"),
        (other_metrics, True, {"package_as_recorded"}, "roc_auc': 0.99} in model.json"),
        (other_training, True, {"package_as_recorded"}, "Model.json is stale"),
        (other_answers, True, {"serves_as_recorded"}, "recorded rows differently, by up to"),
        (no_answers, True, {"serves_as_recorded", "package_as_recorded"}, "no recorded.parquet"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_was_tampered_with_is_refused_by_its_name(
    env: Environment, change: Callable[[Path], None], signed: bool, rules: set[str], said: str
) -> None:
    """S02, S03, S05, stale metrics, stale answers."""
    verdict = evaluate_planted(env, change, signed=signed)
    assert verdict.verdict == "REJECT"
    assert failed(verdict) == rules
    assert said in " ".join(verdict.reasons)
    assert still_serves(env)


def test_data_that_changed_since_the_training_are_refused_by_name(env: Environment) -> None:
    table = Path(env.table("visits"))
    file = next(table.rglob("*.parquet"))
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    verdict = evaluate_planted(env, same)
    assert failed(verdict) == {"data_unchanged"}
    assert "Dataset visits version 0, file" in verdict.reasons[0]


def test_feature_rows_that_changed_since_are_refused(env: Environment) -> None:
    plant(env, same)
    file = env.lake / versions.candidate(env.ledger, "buys", 1).features.uri
    rows = pl.read_parquet(file)
    rows.with_columns(signal=pl.col("signal") + 0.01).write_parquet(file)
    verdict = evaluate(env, "buys", 2)
    assert "data_unchanged" in failed(verdict)  # the frozen hold-out may be another reason
    assert "are not those that were written" in " ".join(verdict.reasons)


def test_a_folder_with_code_in_it_is_not_registered(
    empty: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S02: whoever puts files beside a model that a killed run left behind gains nothing."""
    key = build_features(empty, "buys").key

    class Killed(BaseException):
        pass

    def die(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(training, "_from_folder", die)
        with pytest.raises(Killed):
            train(empty, "buys", key)
    folder = next(f for f in (empty.lake / "models" / "buys").iterdir() if f.is_dir())
    with_code(folder)
    rewrite(folder / "manifest.json", **hashes(folder))
    for _ in range(2):
        with pytest.raises(IntegrityError, match=r"holds MLmodel, code/sly\.py, which training"):
            train(empty, "buys", key)
    assert empty.ledger.events("training") == empty.ledger.events("version_number") == []
    assert len(empty.ledger.events("registration_refused", "buys")) == 1
    shutil.rmtree(folder)
    assert train(empty, "buys", key).version == 1


def test_it_is_tried_again_before_any_alias_moves(env: Environment) -> None:
    two = plant(env, same)
    assert evaluate(env, "buys", 2).verdict == "PROMOTE"
    approve(env, "buys", 2)
    one_byte(env.lake / two.uri)  # in the days until the approval came
    with pytest.raises(GateRefusedError, match=r"version 2 may not be promoted: model\.skops: "):
        promote(env, "buys", 2)
    assert still_serves(env)
    assert len(env.ledger.events("champion", "buys")) == 1
    refusals = env.ledger.events("load_refused", "buys")
    assert [event.payload["version"] for event in refusals] == [2]


def test_a_rollback_to_a_version_that_does_not_load_is_on_record(env: Environment) -> None:
    plant(env, same)
    evaluate(env, "buys", 2)
    approve(env, "buys", 2)
    promote(env, "buys", 2)
    one_byte(env.lake / versions.candidate(env.ledger, "buys", 1).uri)
    with pytest.raises(IntegrityError, match="the ledger says"):
        rollback(env, "buys", to=1, reason="try", actor="ana")
    assert env.ledger.latest("load_refused", "buys").payload["version"] == 1
    assert champion.current(env.ledger, "buys").version == 2


def test_a_version_that_crashes_or_hangs_is_refused_and_not_loaded_here(world: Any) -> None:
    world.trials[1] = TrimtabError("buys version 1 crashed a fresh process (SIGSEGV)")
    verdict = world.judged(1)
    assert failed(verdict) == {"serves_as_recorded"}
    assert "SIGSEGV" in verdict.reasons[0]
    assert not [rule for rule in verdict.rules if rule.name == "challenger_answers"]


def test_a_process_that_was_ended_from_outside_gives_no_verdict(world: Any) -> None:
    world.trials[1] = DependencyError("ended by SIGKILL")
    with pytest.raises(DependencyError):
        world.judged(1)
    assert world.env.ledger.events("gate", "buys") == []
    world.trials.clear()
    assert world.judged(2).verdict == "PROMOTE"


def test_a_slow_version_is_refused_and_does_not_move_what_the_next_is_measured_by(
    world: Any, usual_trial: Any
) -> None:
    world.champion(1)
    for version in (2, 3, 4):
        world.trials[version] = usual_trial.model_copy(update={"latency": 0.6})
        verdict = world.judged(version, noise=0.01, seed=version)
        assert failed(verdict) == {"latency"}
        assert verdict.operation["latency"] == 0.6
    world.trials[5] = usual_trial.model_copy(update={"latency": 0.49})
    assert failed(world.judged(5, noise=0.01, seed=5)) == set()


def test_growth_is_the_model_files_choice(new_world: Any, usual_trial: Any) -> None:
    world = new_world({"  min_rows: 300": "  growth: {latency: 10}\n  min_rows: 300"})
    world.champion(1)
    world.trials[2] = usual_trial.model_copy(update={"latency": 0.9})
    assert "latency" not in failed(world.judged(2, noise=0.01, seed=1))


def test_what_only_a_person_can_say_is_asked_for_in_production(new_world: Any) -> None:
    silent = {"limits: Knows one shop chain only.\n": ""}
    warned = new_world(silent).judged(1)
    assert warned.verdict == "PROMOTE"
    assert failed(warned) == {"human_text"}
    place = {"environments/local.yaml": "environment: local\nproduction: true\n"}
    refused = new_world(silent, place=place).judged(2)
    assert failed(refused) == {"clean_code", "human_text"}
    assert "does not say limits" in " ".join(refused.reasons)


def test_a_version_that_answers_otherwise_by_then_is_not_promoted(
    world: Any, usual_trial: Any
) -> None:
    """A new image with other libraries came between the gate and the approval."""
    world.judged(1)
    approve(world.env, "buys", 1)
    world.trials[1] = usual_trial.model_copy(update={"difference": 0.01})
    with pytest.raises(GateRefusedError, match=r"recorded rows differently, by up to 0\.01"):
        promote(world.env, "buys", 1)
    assert champion.current(world.env.ledger, "buys") is None
    assert world.env.ledger.latest("load_refused", "buys").payload["version"] == 1
    world.trials.clear()
    assert promote(world.env, "buys", 1).version == 1
