"""reproduce: equal on every shape of data; whatever was tampered with is named and fails."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from trimtab.adapters import delta_files
from trimtab.environment import Environment
from trimtab.errors import IntegrityError, NotReadyError
from trimtab.ledger import Ledger, versions
from trimtab.stages.features import build_features
from trimtab.stages.reproduce import reproduce
from trimtab.stages.train import train
from trimtab.training import record, source
from trimtab.types import Candidate


@pytest.fixture
def env(open_env: Any, rides: Any, publish: Any) -> Environment:
    opened: Environment = open_env(rides.FILES)
    rides.publish_all(opened, publish)
    object.__setattr__(opened, "tracker", Silent(opened.tracker))
    return opened


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the home of a trained ``kind`` is kept, once there is one."""
    return tmp_path_factory.mktemp("trained") / "home"


@pytest.fixture
def kind(env: Environment, kept: Path) -> Candidate:
    """A trained version of ``kind``: the first test trains it, the others take a copy."""
    if not kept.exists():
        trained(env, "kind")
        env.ledger.engine.dispose()
        shutil.copytree(env.home, kept)
    else:
        env.ledger.engine.dispose()
        shutil.rmtree(env.home)
        shutil.copytree(kept, env.home)
    return versions.candidate(env.ledger, "kind", 1)


class Silent:
    """MLflow has no part in this."""

    def __init__(self, tracker: Any) -> None:
        self.place = tracker.place

    def log_training(self, training: Any) -> str:
        return "run"


def trained(env: Environment, model: str) -> Candidate:
    return train(env, model, build_features(env, model).key)


@pytest.mark.parametrize("model", ["late", "minutes", "kind"])
def test_every_task_is_equal_to_the_last_bit(env: Environment, model: str) -> None:
    candidate = trained(env, model)
    (env.lake / candidate.features.uri).unlink()  # nothing comes from the cached rows
    texts: list[str] = []
    certificate = reproduce(env, model, 1, texts.append)
    assert certificate.differences == ()
    assert certificate.equal
    assert certificate.max_difference == 0
    assert certificate.rows > 300
    assert certificate.sha256["rows"] == candidate.features.sha256
    assert any("fitting" in text for text in texts)


def test_text_groups_and_weights_are_rebuilt_too(open_env: Any, shapes: Any, publish: Any) -> None:
    env: Environment = open_env(shapes.FILES)
    shapes.publish_all(env, publish)
    object.__setattr__(env, "tracker", Silent(env.tracker))
    for model in ("team", "pressure"):
        trained(env, model)
        assert reproduce(env, model, 1).differences == ()


def test_the_certificate_is_kept_and_shown(env: Environment, kind: Candidate) -> None:
    certificate = reproduce(env, "kind", 1)
    assert certificate.report
    page = (env.reports / certificate.report).read_text()
    assert "EQUAL" in page
    assert "NOT EQUAL" not in page
    kept = json.loads((env.reports / certificate.report).with_suffix(".json").read_text())
    assert kept == certificate.to_json()
    assert reproduce(env, "kind", 1) == certificate  # the same finding is the same certificate
    assert len(env.ledger.events("certificate", "kind")) == 1


def test_it_uses_the_recorded_configuration(env: Environment, kind: Candidate, rides: Any) -> None:
    spec = env.project.models["kind"]
    other = spec.model_copy(update={"train": spec.train.model_copy(update={"seed": 7})})
    project = dataclasses.replace(env.project, models={**env.project.models, "kind": other})
    certificate = reproduce(dataclasses.replace(env, project=project), "kind", 1)
    assert certificate.equal
    assert any("file has changed since" in note for note in certificate.notes)
    project = dataclasses.replace(env.project, models={}, datasets={})
    assert reproduce(dataclasses.replace(env, project=project), "kind", 1).equal


def test_later_data_changes_nothing(env: Environment, rides: Any, publish: Any) -> None:
    trained(env, "late")
    publish(env, "rides", rides.rides(100, first=1000, day=20, days=5), "rides_2.csv")
    publish(env, "air", rides.air(20, 6), "air_2.csv")
    assert reproduce(env, "late", 1).equal


def test_an_untrained_version(env: Environment) -> None:
    with pytest.raises(NotReadyError, match="not trained"):
        reproduce(env, "kind", 1)


def test_a_record_of_an_older_release(env: Environment, kind: Candidate) -> None:
    change_record(env, kind, lambda made: made.pop("catalog"))
    with pytest.raises(IntegrityError, match="without catalog"):
        reproduce(env, "kind", 1)


def change_record(
    env: Environment, candidate: Candidate, change: Callable[[dict[str, Any]], Any]
) -> None:
    file = env.lake / candidate.uri / "model.json"
    made = json.loads(file.read_text())
    change(made)
    file.write_text(json.dumps(made, indent=1))


def data_file(env: Environment, dataset: str) -> Path:
    return Path(env.table(dataset)) / next(iter(delta_files.files(env.table(dataset), 0)))


def one_byte(env: Environment, candidate: Candidate) -> None:
    file = data_file(env, "plants")
    data = bytearray(file.read_bytes())
    data[len(data) // 3] ^= 1
    file.unlink()  # a hard link may stand elsewhere
    file.write_bytes(bytes(data))


def one_cell(env: Environment, candidate: Candidate) -> None:
    file = data_file(env, "plants")
    rows = pl.read_parquet(file)
    changed = pl.when(pl.col("_row") == 5).then(pl.col("height") + 1e-9).otherwise("height")
    file.unlink()
    rows.with_columns(height=changed).write_parquet(file)


def removed(env: Environment, candidate: Candidate) -> None:
    data_file(env, "plants").unlink()


def seed(env: Environment, candidate: Candidate) -> None:
    change_record(env, candidate, lambda made: made.update(seed=1))


def configured_seed(env: Environment, candidate: Candidate) -> None:
    change_record(env, candidate, lambda made: made["config"]["train"].update(seed=1))


def parameter(env: Environment, candidate: Candidate) -> None:
    change_record(env, candidate, lambda made: made["params"].update(learning_rate=0.5))


def library(env: Environment, candidate: Candidate) -> None:
    change_record(env, candidate, lambda made: made["libraries"].update(numpy="1.0"))


def column(env: Environment, candidate: Candidate) -> None:
    def drop(made: dict[str, Any]) -> None:
        del made["catalog"]["datasets"]["plants"]["columns"]["soil"]

    change_record(env, candidate, drop)


def model_file(env: Environment, candidate: Candidate) -> None:
    file = env.lake / candidate.uri / "model.skops"
    file.write_bytes(file.read_bytes() + b"\0")


@pytest.mark.parametrize(
    ("tamper", "named"),
    [
        (one_byte, "dataset plants version 0, file"),
        (one_cell, "dataset plants version 0, file"),
        (removed, "dataset plants version 0: cannot be read any more"),
        (seed, "seed: record 1, its configuration 0"),
        (configured_seed, "configuration: ledger"),
        (parameter, "parameter learning_rate: ledger 0.1, record 0.5"),
        (library, "library numpy: then 1.0, now"),
        (column, "definitions of datasets or feature views"),
        (model_file, "file model.skops of the version is missing or not what the ledger says"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_was_tampered_with_is_named(
    env: Environment, kind: Candidate, tamper: Callable[[Environment, Candidate], None], named: str
) -> None:
    tamper(env, kind)
    certificate = reproduce(env, "kind", 1)
    assert not certificate.equal
    assert any(text.startswith(named) for text in certificate.differences), certificate
    assert certificate.rows == 0  # nothing was trained
    assert certificate.report
    assert "NOT EQUAL" in (env.reports / certificate.report).read_text()


def test_a_version_of_a_dataset_that_the_ledger_lost(
    env: Environment, kind: Candidate, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = Ledger.events

    def forgets(self: Ledger, kind: str | None = None, *args: Any, **kwargs: Any) -> Any:
        return [] if kind == "dataset_version" else events(self, kind, *args, **kwargs)

    monkeypatch.setattr(Ledger, "events", forgets)
    certificate = reproduce(env, "kind", 1)
    assert not certificate.equal
    assert "plants has no version 0" in certificate.differences[0]


def test_another_library_is_refused_unless_asked_for(
    env: Environment, kind: Candidate, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = {**record.libraries(), "numpy": "99.0"}
    monkeypatch.setattr(record, "libraries", lambda: now)
    refused = reproduce(env, "kind", 1)
    assert refused.rows == 0
    assert refused.differences[0].startswith("library numpy: then ")
    trained_anyway = reproduce(env, "kind", 1, anyway=True)
    assert trained_anyway.max_difference == 0
    assert not trained_anyway.equal  # the conditions were not
    assert trained_anyway.report
    assert "proves nothing" in (env.reports / trained_anyway.report).read_text()


def test_another_seed_would_have_shown_in_the_predictions(env: Environment) -> None:
    """The comparison can fail: rows and parameters are equal, the fit is not."""
    candidate = trained(env, "minutes")
    change_record(env, candidate, lambda made: made["config"]["train"].update(seed=1))
    certificate = reproduce(env, "minutes", 1, anyway=True)
    assert certificate.max_difference > 0
    assert any(text.startswith("predictions: ") for text in certificate.differences)


def test_changed_user_code_is_named(
    env: Environment, kind: Candidate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "modules", lambda: {"trimtab_features": "ab" * 32})
    certificate = reproduce(env, "kind", 1)
    assert certificate.differences == (
        "user code trimtab_features: then nothing, now abababababab",
    )
