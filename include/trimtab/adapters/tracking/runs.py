"""The runs of one training: found by key or begun, filled in few calls, ended."""

import json
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trimtab.adapters.tracking.entry import FAMILY, KEY, PARENT, VERSION, Input, Training
from trimtab.adapters.tracking.registry import register
from trimtab.adapters.tracking.saved import save

if TYPE_CHECKING:
    from mlflow import MlflowClient

_DIGEST = 36  # characters MLflow keeps of a digest
_BATCH = 100  # params or tags of one call


def log(client: "MlflowClient", experiment: str, training: Training) -> str:
    """Mirror one training and return its run id; an attempt that was cut short is completed."""
    candidate = training.candidate
    found = _found(client, experiment, candidate.key)
    run = found.get("") or _begun(client, experiment, training)
    run_id = str(run.info.run_id)
    if run.info.status == "FINISHED":
        return run_id
    _fill(client, run_id, training)
    for name in training.families:
        _nested(client, experiment, run_id, training, name, found.get(name))
    with tempfile.TemporaryDirectory() as place:
        _files(client, run_id, training, Path(place) / "files")
        saved = Path(place) / "model"
        save(saved, training.model, f"{candidate.model} version {candidate.version}")
        register(client, experiment, run_id, candidate, saved, training.tags, again=bool(found))
    client.set_terminated(run_id, "FINISHED", end_time=_ended(training))
    return run_id


def _found(client: "MlflowClient", experiment: str, key: str) -> dict[str, Any]:
    """Runs of this key by family; the training itself is ``""``. The oldest one counts."""
    runs = client.search_runs([experiment], f"tags.`{KEY}` = '{key}'", max_results=1000)
    return {run.data.tags.get(FAMILY, ""): run for run in runs}  # newest first: the oldest stays


def _begun(client: "MlflowClient", experiment: str, training: Training) -> Any:
    candidate = training.candidate
    return client.create_run(
        experiment,
        start_time=_began(training),
        tags={KEY: candidate.key, VERSION: str(candidate.version)},
        run_name=f"{candidate.model} v{candidate.version}",
    )


def _fill(client: "MlflowClient", run_id: str, training: Training) -> None:
    from mlflow.entities import DatasetInput, InputTag

    _batch(client, run_id, training, training.metrics, training.params, training.tags)
    tags = [InputTag("mlflow.data.context", "training")]
    client.log_inputs(run_id, [DatasetInput(_dataset(each), tags) for each in training.inputs])


def _batch(
    client: "MlflowClient",
    run_id: str,
    training: Training,
    metrics: Mapping[str, float],
    params: Mapping[str, Any],
    tags: Mapping[str, str],
) -> None:
    from mlflow.entities import Metric, Param, RunTag

    at = _ended(training)  # the same whenever it is repeated, so that no point is there twice
    points = [Metric(name, float(value), at, 0) for name, value in metrics.items()]
    values = [Param(name, str(value)) for name, value in params.items()]
    labels = [RunTag(name, str(value)) for name, value in tags.items()]
    for cut in range(0, max(len(values), len(labels), 1), _BATCH):
        part = slice(cut, cut + _BATCH)
        client.log_batch(run_id, points if cut == 0 else (), values[part], labels[part])


def _dataset(used: Input) -> Any:
    from mlflow.entities import Dataset

    profile = json.dumps(dict(used.profile))
    return Dataset(used.name, used.digest[:_DIGEST], used.kind, used.source, profile=profile)


def _nested(
    client: "MlflowClient", experiment: str, parent: str, training: Training, name: str, run: Any
) -> None:
    if run is None:
        tags = {KEY: training.candidate.key, FAMILY: name, PARENT: parent}
        run = client.create_run(experiment, _began(training), tags, run_name=name)
    if run.info.status == "FINISHED":
        return
    family = training.families[name]
    _batch(client, run.info.run_id, training, family.metrics, family.params, {})
    client.set_terminated(run.info.run_id, "FINISHED", end_time=_ended(training))


def _files(client: "MlflowClient", run_id: str, training: Training, place: Path) -> None:
    """Hand over all files in one call, under the names they have in the version's folder."""
    for name in training.files:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).symlink_to((training.folder / name).resolve())
    if training.files:
        client.log_artifacts(run_id, str(place))


def _ended(training: Training) -> int:
    return int(training.ended.timestamp() * 1000)


def _began(training: Training) -> int:
    began = training.ended - timedelta(seconds=training.candidate.seconds)
    return int(began.timestamp() * 1000)
