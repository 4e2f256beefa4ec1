"""MLflow: runs, registered versions and the champion alias, all a mirror of the ledger.

Nothing here may cost a training: when MLflow does not answer, a warning is logged and the ledger
goes on without it. Clients get their address as an argument; no global state is set.
"""

import functools
import logging
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

from trimtab.types import Candidate

if TYPE_CHECKING:
    from mlflow import MlflowClient

log = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")
CHAMPION, CHALLENGER = "champion", "challenger"
KEY, VERSION = "trimtab.key", "trimtab.version"
_QUIET = {  # before the first import of mlflow
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "GIT_PYTHON_REFRESH": "quiet",
}


def _mirrored(
    method: Callable[Concatenate["Tracker", P], R],
) -> Callable[Concatenate["Tracker", P], R | None]:
    """Log a failure of MLflow and return None: the ledger has the truth already."""

    @functools.wraps(method)
    def call(self: "Tracker", *args: P.args, **kwargs: P.kwargs) -> R | None:
        try:
            return method(self, *args, **kwargs)
        except Exception as error:
            text = f"{type(error).__name__}: {error}".splitlines()[0]
            log.warning("MLflow at %s did not take %s: %s", self.place, method.__name__, text)
            return None

    return cast("Callable[Concatenate[Tracker, P], R | None]", call)


class Tracker:
    """The MLflow client of one environment."""

    def __init__(self, uri: str, artifacts: Path) -> None:
        self.uri = uri
        self.artifacts = artifacts

    @property
    def place(self) -> str:
        """The address without its password, for messages."""
        scheme, _, rest = self.uri.partition("://")
        return f"{scheme}://{rest.rsplit('@', 1)[-1]}"

    @functools.cached_property
    def client(self) -> "MlflowClient":
        """Connect lazily; importing MLflow takes seconds."""
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
        from mlflow import MlflowClient
        from mlflow.store.db import utils

        utils.MAX_RETRY_COUNT = min(utils.MAX_RETRY_COUNT, 3)  # ten take 102 s
        return MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    @_mirrored
    def log_training(
        self,
        candidate: Candidate,
        *,
        model: Any,
        example: Any,
        prediction: Any,
        trusted: tuple[str, ...] = (),
        requirements: tuple[str, ...] = (),
        figures: Mapping[str, bytes] | None = None,
        families: Mapping[str, Mapping[str, Any]] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> str:
        """Mirror one training and return its run id; a retry finds the run it began.

        Logs parameters, metrics, dataset versions, figures, the model with its signature (from
        ``example`` and ``prediction``), one nested run per family, and registers the version
        with the alias ``challenger``.
        """
        experiment = self._experiment(candidate.model)
        run = self._run(experiment, KEY, candidate.key, f"{candidate.model} v{candidate.version}")
        if run.info.status == "FINISHED":
            return str(run.info.run_id)
        run_id = str(run.info.run_id)
        self._numbers(run_id, candidate, {**(tags or {}), **_tags(candidate)})
        self._inputs(run_id, candidate)
        self._children(experiment, run_id, candidate, families or {})
        with tempfile.TemporaryDirectory() as place:
            self._figures(run_id, Path(place) / "figures", figures or {})
            saved = Path(place) / "model"
            _save(saved, model, example, prediction, trusted, requirements)
            self._register(experiment, run_id, candidate, saved)
        self.client.set_terminated(run_id, "FINISHED")
        return run_id

    @_mirrored
    def mirror_champion(self, model: str, version: int) -> bool:
        """Point the alias ``champion`` at a trimtab version; whether MLflow knows it."""
        return self._alias(model, version, CHAMPION)

    @_mirrored
    def tag_version(self, model: str, version: int, tags: Mapping[str, str]) -> bool:
        """Tag the registered version of a trimtab version."""
        number = self._number(model, version)
        for key, value in tags.items() if number else ():
            self.client.set_model_version_tag(model, number, key, value)
        return number is not None

    @_mirrored
    def log_gate(
        self, model: str, version: int, metrics: Mapping[str, float], report: Path | None = None
    ) -> bool:
        """Put what the gate measured, and its page, into the version's run."""
        found = self._registered(model, version)
        if found is None:
            return False
        from mlflow.entities import Metric

        now = int(found.creation_timestamp)  # the same whenever it is repeated
        values = [Metric(f"gate_{name}", float(value), now, 0) for name, value in metrics.items()]
        self.client.log_batch(found.run_id, metrics=values)
        if report and report.exists():
            self.client.log_artifact(found.run_id, str(report), "gate")
        return True

    @_mirrored
    def champion_version(self, model: str) -> int | None:
        """Return the trimtab version the alias ``champion`` points at, if any."""
        aliases = self.client.get_registered_model(model).aliases
        if CHAMPION not in aliases:
            return None
        return int(self.client.get_model_version(model, aliases[CHAMPION]).tags[VERSION])

    @_mirrored
    def run_url(self, run_id: str, base: str) -> str:
        """Address of a run in the MLflow pages that are served at ``base``."""
        run = self.client.get_run(run_id)
        return f"{base.rstrip('/')}/#/experiments/{run.info.experiment_id}/runs/{run_id}"

    def _experiment(self, model: str) -> str:
        from mlflow.exceptions import MlflowException

        if found := self.client.get_experiment_by_name(model):
            return str(found.experiment_id)
        remote = self.uri.startswith(("http://", "https://"))  # a server has its own store
        place = None if remote else (self.artifacts.resolve() / model).as_uri()
        try:
            return str(self.client.create_experiment(model, artifact_location=place))
        except MlflowException:
            if found := self.client.get_experiment_by_name(model):  # somebody else was first
                return str(found.experiment_id)
            raise

    def _run(
        self, experiment: str, tag: str, key: str, name: str, parent: str | None = None
    ) -> Any:
        found = self.client.search_runs([experiment], f"tags.`{tag}` = '{key}'", max_results=1)
        if found:
            return found[0]
        tags = {tag: key, **({"mlflow.parentRunId": parent} if parent else {})}
        return self.client.create_run(experiment, tags=tags, run_name=name)

    def _numbers(self, run_id: str, candidate: Candidate, tags: Mapping[str, str]) -> None:
        params = {"estimator": candidate.estimator, **candidate.params}
        values = {f"validation_{name}": v for name, v in candidate.validation.items()}
        values |= {f"walk_forward_{name}": v for name, v in candidate.walk_forward.items()}
        values |= {"trials": candidate.trials, "seconds": candidate.seconds}
        if candidate.default_score is not None:
            values["default_score"] = candidate.default_score
        values["train_rows"] = candidate.features.train_rows
        self._batch(run_id, values, params, tags)

    def _batch(
        self,
        run_id: str,
        values: Mapping[str, float],
        params: Mapping[str, Any],
        tags: Mapping[str, str],
    ) -> None:
        from mlflow.entities import Metric, Param, RunTag

        now = int(self.client.get_run(run_id).info.start_time)  # a retry writes the same points
        self.client.log_batch(
            run_id,
            metrics=[Metric(name, float(value), now, 0) for name, value in values.items()],
            params=[Param(name, str(value)) for name, value in params.items()],
            tags=[RunTag(name, str(value)) for name, value in tags.items()],
        )

    def _inputs(self, run_id: str, candidate: Candidate) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        features = candidate.features
        used = [
            DatasetInput(
                Dataset(name, f"v{version}", "delta", f"datasets/{name}@{version}"),
                [InputTag("mlflow.data.context", "training")],
            )
            for name, version in features.versions.items()
        ]
        rows = Dataset(f"{features.model}_features", features.key[:36], "parquet", features.uri)
        used.append(DatasetInput(rows, [InputTag("mlflow.data.context", "training")]))
        self.client.log_inputs(run_id, used)

    def _children(
        self, experiment: str, run_id: str, candidate: Candidate, families: Mapping[str, Any]
    ) -> None:
        for name, found in families.items():
            key = f"{candidate.key[:32]}.{name}"
            child = self._run(experiment, "trimtab.family", key, name, parent=run_id)
            if child.info.status == "FINISHED":
                continue
            self._batch(child.info.run_id, found["values"], found["params"], {})
            self.client.set_terminated(child.info.run_id, "FINISHED")

    def _figures(self, run_id: str, place: Path, figures: Mapping[str, bytes]) -> None:
        place.mkdir()
        for name, data in figures.items():
            (place / name).write_bytes(data)
        if figures:
            self.client.log_artifacts(run_id, str(place), "figures")

    def _register(self, experiment: str, run_id: str, candidate: Candidate, saved: Path) -> None:
        from mlflow.exceptions import MlflowException

        name = candidate.model
        if self._registered(name, candidate.version) is None:
            kept = self.client.create_logged_model(experiment, name="model", source_run_id=run_id)
            self.client.log_model_artifacts(kept.model_id, str(saved))
            self.client.finalize_logged_model(kept.model_id, "READY")
            try:
                self.client.create_registered_model(name)
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
            self.client.create_model_version(
                name,
                kept.artifact_location,
                run_id,
                tags=_tags(candidate),
                model_id=kept.model_id,
            )
        self._alias(name, candidate.version, CHALLENGER)

    def _alias(self, model: str, version: int, alias: str) -> bool:
        number = self._number(model, version)
        if number:
            self.client.set_registered_model_alias(model, alias, number)
        return number is not None

    def _number(self, model: str, version: int) -> str | None:
        found = self._registered(model, version)
        return str(found.version) if found else None

    def _registered(self, model: str, version: int) -> Any:
        found = self.client.search_model_versions(
            f"name = '{model}' and tag.`{VERSION}` = '{version}'", max_results=1
        )
        return found[0] if found else None


def _tags(candidate: Candidate) -> dict[str, str]:
    versions = {f"dataset.{name}": str(v) for name, v in candidate.features.versions.items()}
    return {
        KEY: candidate.key,
        VERSION: str(candidate.version),
        "trimtab.features": candidate.features.key,
        "trimtab.config_hash": candidate.config_hash,
        "trimtab.git_commit": candidate.git_commit or "unknown",
        **versions,
    }


def _save(
    place: Path,
    model: Any,
    example: Any,
    prediction: Any,
    trusted: tuple[str, ...],
    requirements: tuple[str, ...],
) -> None:
    import mlflow.sklearn
    from mlflow.models import infer_signature

    # Without explicit requirements MLflow reloads the model in a subprocess for seconds.
    mlflow.sklearn.save_model(
        model,
        str(place),
        serialization_format="skops",
        signature=infer_signature(example, prediction),
        pip_requirements=list(requirements) or None,
        skops_trusted_types=list(trusted),
    )
