"""train: one version per key through kills and copies, with or without MLflow."""

import shutil
from typing import Any

import numpy as np
import polars as pl
import pytest

from trimtab import metrics
from trimtab.adapters.tracking import Tracker
from trimtab.config.model import METRICS
from trimtab.environment import Environment
from trimtab.errors import NotReadyError
from trimtab.ledger import Ledger
from trimtab.serving import loader
from trimtab.stages import train as stage
from trimtab.stages.features import build_features
from trimtab.stages.train import train
from trimtab.types import Candidate
from trimtab.watch import RetrainDecision

_DRAWN = ("calibration", "importance", "learning", "precision_recall", "roc", "shap")
FIGURES = tuple(f"{name}.png" for name in _DRAWN)


@pytest.fixture
def env(open_env: Any, rides: Any, publish: Any) -> Environment:
    opened: Environment = open_env(rides.FILES)
    rides.publish_all(opened, publish)
    return opened


def trained(env: Environment, model: str) -> Candidate:
    return train(env, model, build_features(env, model).key)


def test_no_feature_set(env: Environment) -> None:
    with pytest.raises(NotReadyError, match="no feature set"):
        train(env, "late", "unknown")


@pytest.mark.parametrize("model", ["late", "minutes", "kind"])
def test_every_task_trains_and_beats_the_dummy(env: Environment, model: str) -> None:
    candidate = trained(env, model)
    features = candidate.features
    rows = pl.read_parquet(env.lake / features.uri).filter(pl.col("_role") == "holdout")
    y, metric = rows["_target"].to_numpy(), METRICS[features.task][0]
    values = {}
    for name in ("model", "baseline_dummy", "baseline_linear"):
        loaded = loader.load(env.lake, candidate, name)
        prediction = loaded.predict(rows.to_pandas())
        assert len(prediction) == rows.height
        values[name] = metrics.score(metric, y, prediction, loaded.classes)
    assert values["model"] > values["baseline_dummy"] + 0.1
    assert candidate.run_id
    assert set(candidate.validation) <= set(METRICS[features.task])


def test_the_record_says_how_it_was_made(env: Environment) -> None:
    texts: list[str] = []
    candidate = train(env, "late", build_features(env, "late").key, progress=texts.append)
    made = loader.description(env.lake, candidate)
    assert made["rows"]["train"] == candidate.features.train_rows
    assert made["schema"] == {
        **dict.fromkeys(("km", "shared", "air_rain", "cars_seats"), "float64"),
        "zone": "text",
        "at": "time",
    }
    assert made["categories"] == {"zone": ["north", "south"]}
    assert made["libraries"]["scikit-learn"]
    assert made["config"]["model"] == "late"
    assert set(candidate.manifest) == {
        "model.skops",
        "baseline_dummy.skops",
        "baseline_linear.skops",
        "model.json",
        "input_example.json",
        "importance.json",
        "recorded.parquet",
        *(f"figures/{name}" for name in FIGURES),
    }
    assert "trial 1/2 linear" in texts[0]


def test_twice_is_one_version(env: Environment) -> None:
    first = trained(env, "late")
    assert train(env, "late", first.features.key) == first
    assert [e.key for e in env.ledger.events("version_number", "late")] == ["1"]
    assert len(env.tracker.client.search_model_versions("name = 'late'")) == 1


def test_the_same_rows_train_the_same_model(env: Environment) -> None:
    one = trained(env, "late")
    rows = pl.read_parquet(env.lake / one.features.uri).to_pandas()
    before = loader.load(env.lake, one).predict(rows)
    folder = env.lake / one.uri
    shutil.rmtree(folder)
    spec = env.project.model("late")
    stage._train(env, spec, one.features, one.key, folder, lambda text: None)
    manifest = stage.package.read_manifest(folder)
    again = loader.load(env.lake, one.model_copy(update={"manifest": manifest}))
    assert np.array_equal(again.predict(rows), before)


def killed_before(env: Environment, kind: str, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    append = Ledger.append

    def dies(self: Ledger, name: str, *args: Any, **kwargs: Any) -> Any:
        if name == kind:
            raise KeyboardInterrupt
        return append(self, name, *args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "append", dies)
        with pytest.raises(KeyboardInterrupt):
            train(env, "minutes", key)


@pytest.mark.parametrize("kind", ["version_number", "training"])
def test_killed_before_the_ledger_and_run_again_is_one_version(
    env: Environment, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = build_features(env, "minutes").key
    killed_before(env, kind, monkeypatch, key)
    assert not env.ledger.events("training")
    candidate = train(env, "minutes", key)
    assert candidate.version == 1
    loader.verify(env.lake, candidate)
    client = env.tracker.client
    assert len(client.search_model_versions("name = 'minutes'")) == 1
    experiment = client.get_experiment_by_name("minutes")
    runs = client.search_runs([experiment.experiment_id])
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert len(runs) == 2  # the training and its one family


def test_killed_before_closing_requests_closes_them_next_time(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = RetrainDecision(model="minutes", partition="p", retrain=True, reason="r")
    env.ledger.append("retrain_request", "minutes", "sha", asked.to_json())
    key = build_features(env, "minutes").key
    killed_before(env, "retrain_closed", monkeypatch, key)
    candidate = train(env, "minutes", key)
    closed = env.ledger.find("retrain_closed", "minutes", "sha")
    assert closed is not None
    assert closed.payload["version"] == candidate.version == 1


def test_numbers_go_on_and_are_never_shared(env: Environment) -> None:
    assert stage._version(env, "late", "a") == 1
    assert stage._version(env, "late", "b") == 2
    assert stage._version(env, "late", "a") == 1
    assert stage._version(env, "minutes", "c") == 1


def test_without_mlflow_the_training_stands(
    env: Environment, caplog: pytest.LogCaptureFixture, tmp_path: Any
) -> None:
    file = tmp_path / "file"
    file.write_text("")
    object.__setattr__(env, "tracker", Tracker(f"sqlite:///{file}/no.db", tmp_path))
    candidate = trained(env, "minutes")
    assert candidate.run_id is None
    assert env.ledger.find("training", "minutes", candidate.key)
    assert "tracking did not take everything" in caplog.text


def test_mlflow_shows_the_version(env: Environment) -> None:
    candidate = trained(env, "late")
    tracker, client = env.tracker, env.tracker.client
    assert candidate.run_id
    run = client.get_run(candidate.run_id)
    assert run.data.tags["trimtab.version"] == "1"
    assert run.data.tags["dataset.rides"] == "0"
    assert {i.dataset.name for i in run.inputs.dataset_inputs} >= {"rides", "air", "cars"}
    assert run.data.metrics["validation_roc_auc"] == pytest.approx(candidate.validation["roc_auc"])
    figures = {f.path for f in client.list_artifacts(candidate.run_id, "figures")}
    assert figures == {f"figures/{name}" for name in FIGURES}
    assert tracker.aliases("late") == {"challenger": "1"}
    assert tracker.knows("late", 1)
    assert not tracker.knows("late", 7)
    assert tracker.log_gate("late", 1, {"roc_auc": 0.7}, {"trimtab.gate": "PROMOTE"})
    assert client.get_run(candidate.run_id).data.metrics["gate_roc_auc"] == 0.7
    assert tracker.run_url(candidate.run_id, "http://h/") == (
        f"http://h/#/experiments/{run.info.experiment_id}/runs/{candidate.run_id}"
    )
    assert str(env.home / "mlflow") in run.info.artifact_uri


def test_mlflow_has_the_signature(env: Environment) -> None:
    import mlflow

    trained(env, "kind")
    version = env.tracker.client.get_model_version_by_alias("kind", "challenger")
    info = mlflow.models.Model.load(version.source.removeprefix("file://"))
    assert info.signature.inputs.input_names() == ["height", "soil"]
