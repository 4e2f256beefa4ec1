"""The MLflow client of one environment. What it raises, a stage takes (`trimtab.stages.mirror`)."""

import functools
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from trimtab.adapters.tracking import ghosts, registry, runs
from trimtab.adapters.tracking.connection import connect, shown
from trimtab.adapters.tracking.entry import HEAD, Training
from trimtab.adapters.tracking.ghosts import Ghost
from trimtab.adapters.tracking.registry import Registered
from trimtab.errors import DependencyError
from trimtab.types import Staleness

if TYPE_CHECKING:
    from mlflow import MlflowClient


class Tracker:
    """Writes what the ledger says; every method may be repeated and changes nothing then."""

    def __init__(self, uri: str, artifacts: Path) -> None:
        self.uri = uri
        self.artifacts = artifacts

    @property
    def place(self) -> str:
        """The address without its password, for messages."""
        return shown(self.uri)

    @functools.cached_property
    def client(self) -> "MlflowClient":
        """Connect lazily; importing MLflow takes seconds."""
        return connect(self.uri)

    def probe(self) -> None:
        """Ask for next to nothing.

        Raises:
            DependencyError: it does not answer.
        """
        try:
            self.client.search_experiments(max_results=1)
        except Exception as error:  # each kind of store has errors of its own
            told = f"{type(error).__name__}: {error}".splitlines()[0]
            raise DependencyError(f"MLflow at {self.place} does not answer: {told}") from error

    def log_training(self, training: Training) -> str:
        """Show one version and return its run id.

        A run with its parameters, metrics, datasets, files and model, one nested run per family
        of candidates, and the registered version.
        """
        return runs.log(self.client, self._experiment(training.candidate.model), training)

    def log_gate(
        self,
        model: str,
        version: int,
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        report: Path | None = None,
    ) -> bool:
        """Put what the gate measured, and its page, into the version's run."""
        found = registry.registered(self.client, model, version)
        if found is None:
            return False
        from mlflow.entities import Metric, RunTag

        now = int(found.creation_timestamp)  # the same whenever it is repeated
        values = [Metric(f"gate_{name}", float(value), now, 0) for name, value in metrics.items()]
        labels = [RunTag(name, value) for name, value in tags.items()]
        self.client.log_batch(found.run_id, metrics=values, tags=labels)
        for name, value in tags.items():
            self.client.set_model_version_tag(model, str(found.version), name, value)
        if report and report.exists():
            self.client.log_artifact(found.run_id, str(report), "gate")
        return True

    def log_staleness(self, found: Staleness, picture: Path) -> bool:
        """Put a decay curve into the version's run: a metric by weeks, and its picture."""
        version = registry.registered(self.client, found.model, found.version)
        if version is None:
            return False
        from mlflow.entities import Metric

        now = int(version.creation_timestamp)  # the same whenever it is repeated
        curve = zip(found.weeks, found.scores, strict=True)
        values = [Metric("score_by_weeks", score, now, weeks) for weeks, score in curve]
        if found.max_age_weeks is not None:
            values.append(Metric("max_age_weeks", float(found.max_age_weeks), now, 0))
        self.client.log_batch(version.run_id, metrics=values)
        if picture.exists():
            self.client.log_artifact(version.run_id, str(picture), "figures")
        return True

    def knows(self, model: str, version: int) -> bool:
        """Whether a trimtab version is registered."""
        return registry.registered(self.client, model, version) is not None

    def keep_head(self, model: str, version: int, head: str) -> None:
        """Keep with a version which entry of the ledger made it champion."""
        if found := registry.registered(self.client, model, version):
            self.client.set_model_version_tag(model, str(found.version), HEAD, head)

    def heads(self) -> list[str]:
        """Return what was kept of the ledger with the versions of all models."""
        return registry.tagged(self.client)

    def registered(self, model: str) -> list[Registered]:
        """Return every registered version of a model, whosoever it is; the first one first."""
        return registry.every(self.client, model)

    def aliases(self, model: str) -> dict[str, str]:
        """Return the aliases of a model, and the server's number of the version of each."""
        return registry.aliases(self.client, model)

    def point(self, model: str, alias: str, number: str | None) -> None:
        """Point an alias at a version by the server's number, or take it away."""
        registry.point(self.client, model, alias, number)

    def tag(self, model: str, number: str, name: str, value: str | None) -> None:
        """Set a tag of a version by the server's number, or take it away."""
        registry.tag(self.client, model, number, name, value)

    def open_ones(self, models: Iterable[str]) -> list[Ghost]:
        """Return the runs and models of ours that nobody has ended."""
        return ghosts.open_ones(self.client, models)

    def end(self, ghost: Ghost, reason: str) -> None:
        """End such a run or model and say why on it."""
        ghosts.end(self.client, ghost, reason)

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
