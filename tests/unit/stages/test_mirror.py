"""MLflow is told from the ledger: an outage costs nothing, no run is doubled, none stays open."""

import contextlib
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from trimtab.adapters.tracking import Tracker
from trimtab.environment import Environment
from trimtab.errors import DependencyError
from trimtab.ledger import mirror, versions
from trimtab.platform.mlflow import SETTINGS, server_command
from trimtab.serving import loader
from trimtab.serving.frame import coerce
from trimtab.stages import mirror as stage
from trimtab.stages.approve import approve
from trimtab.stages.evaluate import evaluate
from trimtab.stages.features import build_features
from trimtab.stages.promote import promote
from trimtab.stages.reconcile import reconcile
from trimtab.stages.track import training_entry
from trimtab.stages.train import train
from trimtab.types import Candidate


@pytest.fixture
def env(open_env: Any, rides: Any, publish: Any) -> Environment:
    kind = rides.FILES["models/kind.yaml"].replace("boosted_trees", "linear")  # passes the gate
    opened: Environment = open_env({**rides.FILES, "models/kind.yaml": kind})
    rides.publish_all(opened, publish)
    return opened


KINDS = ["training", "gate", "approval", "champion"]


def trained(env: Environment, model: str = "kind") -> Candidate:
    return train(env, model, build_features(env, model).key)


def away(env: Environment, uri: str = "http://127.0.0.1:9") -> Tracker:
    """Let MLflow be where nobody answers; return where it was."""
    before = env.tracker
    object.__setattr__(env, "tracker", Tracker(uri, env.home / "mlflow"))
    return before


def back(env: Environment, tracker: Tracker) -> None:
    object.__setattr__(env, "tracker", tracker)


def runs(env: Environment, model: str = "kind") -> list[Any]:
    client = env.tracker.client
    if (experiment := client.get_experiment_by_name(model)) is None:
        return []
    return list(client.search_runs([experiment.experiment_id]))


def whole(env: Environment, model: str = "kind", families: int = 1) -> None:
    """One finished run and its nested ones, one model, one version."""
    client, found = env.tracker.client, runs(env, model)
    assert {run.info.status for run in found} == {"FINISHED"}
    assert len(found) == 1 + families
    experiment = client.get_experiment_by_name(model).experiment_id
    assert len(client.search_logged_models([experiment])) == 1
    assert len(client.search_model_versions(f"name = '{model}'")) == 1


@contextlib.contextmanager
def server(home: Path, database: Path, port: int) -> Iterator[None]:
    """A real MLflow server on this port."""
    command = server_command(home, f"sqlite:///{database}", port)
    with (home / "server.log").open("w") as log:
        process = subprocess.Popen(command, env={**os.environ, **SETTINGS}, stdout=log, stderr=log)
    try:
        while True:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5)
                break
            assert process.poll() is None, (home / "server.log").read_text()[-2000:]
            time.sleep(0.3)
        yield
    finally:
        process.terminate()
        process.wait(30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_server_that_is_down_and_comes_up_is_told_everything(env: Environment) -> None:
    port = free_port()
    away(env, f"http://127.0.0.1:{port}")
    candidate = trained(env)
    assert candidate.run_id is None
    assert evaluate(env, "kind", 1).verdict == "PROMOTE"
    approve(env, "kind", 1)
    assert promote(env, "kind", 1).version == 1
    untold = mirror.untold(env.ledger, "kind")
    assert [event.kind for event in untold] == KINDS
    with pytest.raises(DependencyError, match="does not answer"):
        reconcile(env)
    with server(env.home, env.home / "mlflow.db", port):
        dry = reconcile(env, dry_run=True)
        assert [each.kind for each in dry.waiting] == KINDS
        assert runs(env) == []
        done = reconcile(env)
        assert [each.kind for each in done.told] == KINDS
        assert done.waiting == done.closed == done.foreign == done.problems == ()
        whole(env)
        assert env.tracker.aliases("kind") == {"champion": "1"}
        run_id = versions.candidate(env.ledger, "kind", 1).run_id
        assert run_id == done.told[0].run_id
        told = env.tracker.client.get_run(run_id).data
        assert told.tags["trimtab.gate"] == "PROMOTE"
        assert told.metrics["gate_accuracy"] > 0.5
        again = reconcile(env)
        assert not again.told
        assert not again.foreign
    assert train(env, "kind", candidate.features.key).run_id == run_id


def test_the_next_stage_tells_what_was_missed(env: Environment) -> None:
    there = away(env)
    trained(env)
    back(env, there)
    evaluate(env, "kind", 1)
    whole(env)
    assert env.tracker.aliases("kind") == {"challenger": "1"}
    assert mirror.untold(env.ledger, "kind") == []
    assert versions.candidate(env.ledger, "kind", 1).run_id


def test_an_outage_is_waited_for_within_bounds(env: Environment) -> None:
    """A server that takes the connection and never answers costs its time-out, once."""
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen(50)
        away(env, f"http://127.0.0.1:{mute.getsockname()[1]}")
        os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = "1"
        try:
            began = time.monotonic()
            assert trained(env).run_id is None
            assert time.monotonic() - began < 120
        finally:
            os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = "10"


class Killed(BaseException):
    """As if the process had ended here."""


STEPS = (
    "create_run",
    "log_batch",
    "log_inputs",
    "log_artifacts",
    "create_logged_model",
    "log_model_artifacts",
    "finalize_logged_model",
    "log_outputs",
    "create_registered_model",
    "create_model_version",
    "set_registered_model_alias",
    "set_terminated",
)


def test_killed_after_any_call_and_told_again_is_one_run(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = away(env)
    candidate = trained(env)
    back(env, there)
    client_type = type(env.tracker.client)
    event = env.ledger.find("training", "kind", candidate.key)
    assert event is not None
    entry = training_entry(env, candidate, event.at)
    for step in STEPS:
        real = getattr(client_type, step)

        def dies(self: Any, *args: Any, real: Any = real, **kwargs: Any) -> Any:
            real(self, *args, **kwargs)
            raise Killed

        with monkeypatch.context() as patched, contextlib.suppress(Killed):
            patched.setattr(client_type, step, dies)
            env.tracker.log_training(entry)
    stage.catch_up(env, "kind")
    whole(env)
    before = [run.data.metrics for run in runs(env)]
    env.tracker.log_training(entry)
    whole(env)
    assert [run.data.metrics for run in runs(env)] == before


def test_what_mlflow_shows(env: Environment) -> None:
    import mlflow

    candidate = trained(env, "late")
    assert candidate.run_id
    client = env.tracker.client
    run = client.get_run(candidate.run_id)
    assert run.data.tags["trimtab.dirty"] == str(candidate.dirty).lower()
    digests = {i.dataset.name: i.dataset.digest for i in run.inputs.dataset_inputs}
    assert digests["late_features"] == candidate.features.sha256[:36]
    assert set(digests) == {"late_features", "rides", "air", "cars"}
    assert run.data.metrics["peak_memory"] > 1e6
    files = {f.path for f in client.list_artifacts(candidate.run_id)}
    assert files == {"model.json", "importance.json", "figures"}
    nested = [each for each in runs(env, "late") if each.info.run_id != candidate.run_id]
    assert {each.info.run_name for each in nested} == {"linear", "boosted_trees"}
    assert {each.data.tags["mlflow.parentRunId"] for each in nested} == {candidate.run_id}
    assert sum(each.data.metrics["trials"] for each in nested) == candidate.trials
    source = client.get_model_version_by_alias("late", "challenger").source
    saved = mlflow.models.Model.load(source.removeprefix("file://"))
    assert saved.signature.inputs.input_names()
    assert saved.signature.outputs
    example = saved.load_input_example(source.removeprefix("file://"))
    served = mlflow.pyfunc.load_model(source).predict(example)
    assert len(served) == len(example) == 5
    rows = pd.read_json((env.lake / candidate.uri / "input_example.json").open())
    ours = loader.load(env.lake, candidate)
    assert (served == ours.pipeline.predict(coerce(rows, ours.schema))).all()


def test_a_model_without_a_signature_is_not_shown_in_silence(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.models.signature import ModelSignature
    from mlflow.types import ColSpec, Schema

    half = ModelSignature(inputs=Schema([ColSpec("double", "height")]))
    monkeypatch.setattr("mlflow.models.infer_signature", lambda *_: half)
    assert trained(env).run_id is None
    assert [event.kind for event in mirror.untold(env.ledger, "kind")] == ["training"]
    problem = reconcile(env).problems[0]
    assert "no signature" in problem
    monkeypatch.undo()
    assert [each.kind for each in reconcile(env).told] == ["training"]
    whole(env)


def test_a_version_whose_files_are_gone_is_passed_over(env: Environment) -> None:
    there = away(env)
    candidate = trained(env)
    back(env, there)
    (env.lake / candidate.uri / "model.skops").unlink()
    done = reconcile(env)
    assert "model.skops" in done.told[0].skipped
    assert reconcile(env).told == ()
