"""One scored window with everything a family of signals may look at."""

import functools
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from trimtab.adapters import delta
from trimtab.config import ModelSpec
from trimtab.config.monitor import Monitor
from trimtab.environment import Environment
from trimtab.errors import IntegrityError
from trimtab.features import sources, target, view
from trimtab.monitoring import profile, report
from trimtab.monitoring.profile import ColumnProfile, Kind, ReferenceProfile
from trimtab.stages import loading
from trimtab.stages.score import candidate_of
from trimtab.types import (
    FILE,
    ROLE,
    ROW,
    TARGET,
    Candidate,
    DatasetVersion,
    FeatureSet,
    GateVerdict,
    Scoring,
)
from trimtab.watch import Observation

log = logging.getLogger(__name__)
PREDICTION, CHANCES = "_prediction", "_probabilities"
TRAINED = "_trained"  # whether the version saw the row's label when it was trained


@dataclass(frozen=True)
class Look:
    """What one window is judged by.

    ``rows`` has a row for each scored one: the columns of its dataset and the joined features,
    ``_prediction`` and ``_probabilities``, ``_target`` where it is known by now, ``_trained``.
    ``history`` is every earlier observation of the model, oldest first.
    """

    env: Environment
    spec: ModelSpec
    scoring: Scoring
    candidate: Candidate
    reference: ReferenceProfile
    rows: pl.DataFrame
    gate: GateVerdict | None
    history: tuple[Observation, ...]

    @property
    def settings(self) -> Monitor:
        """How the model is watched."""
        return self.spec.monitor

    @property
    def time(self) -> str | None:
        """The event time's column."""
        scored = self.spec.score.on or self.spec.data.from_
        return self.env.project.dataset(scored).time


def look_at(env: Environment, scoring: Scoring) -> Look:
    """Read what one scored file is judged by."""
    spec = env.project.model(scoring.model)
    candidate = candidate_of(env, scoring.model, scoring.version)
    return Look(
        env=env,
        spec=spec,
        scoring=scoring,
        candidate=candidate,
        reference=reference_profile(env, candidate),
        rows=_rows(env, spec, scoring, candidate),
        gate=_gate(env, scoring),
        history=tuple(_earlier(env, scoring)),
    )


def reference_profile(env: Environment, candidate: Candidate) -> ReferenceProfile:
    """Return what the version learnt from and predicted at its gate; built once, then a file."""
    path = env.lake / "profiles" / candidate.model / f"{candidate.key[:16]}.json"
    if path.exists():
        return ReferenceProfile.model_validate_json(path.read_text())
    features = candidate.features
    stored = pl.scan_parquet(env.lake / features.uri)
    trained = stored.filter(pl.col(ROLE) == "train").select(features.features).collect()
    held_out = stored.filter(pl.col(ROLE) == "holdout").collect()
    built = ReferenceProfile(
        model=candidate.model,
        version=candidate.version,
        key=candidate.key,
        rows=trained.height,
        columns=profile.build(trained, kinds(features)),
        prediction=_predicted(env, candidate, held_out),
    )
    report.write(built.model_dump_json(), path)
    return built


def kinds(features: FeatureSet) -> dict[str, Kind]:
    """How each feature is profiled."""
    return {
        **dict.fromkeys(features.numeric, "numeric"),
        **dict.fromkeys(features.categorical, "categorical"),
        **dict.fromkeys(features.temporal, "hour"),
    }


def _predicted(env: Environment, candidate: Candidate, rows: pl.DataFrame) -> ColumnProfile | None:
    if not rows.height:
        return None
    kind = _prediction_kind(candidate.features)
    return profile.build(answers(env, candidate, rows), {PREDICTION: kind})[PREDICTION]


def answers(env: Environment, candidate: Candidate, rows: pl.DataFrame) -> pl.DataFrame:
    """Return what the version answers, in ``_prediction``, row by row."""
    loaded = loading.load(env, candidate)
    given = loaded.predict(rows.to_pandas())
    values = given.tolist()
    if loaded.task == "multiclass":
        values = [str(loaded.classes[i]) for i in given.argmax(axis=1)]
    return pl.DataFrame({PREDICTION: values})


def _prediction_kind(features: FeatureSet) -> Kind:
    return "categorical" if features.task == "multiclass" else "numeric"


def _rows(
    env: Environment, spec: ModelSpec, scoring: Scoring, candidate: Candidate
) -> pl.DataFrame:
    """Feature rows of a scored file with ``_target`` where it is known by now, and predictions."""
    dataset = env.project.dataset(spec.score.on or spec.data.from_)
    labelled = spec.target.column in dataset.columns
    extra = [spec.target.column] if labelled else []
    read = functools.partial(
        view.rows_of_files, env, spec.model, [scoring.sha256], dataset=dataset.dataset, extra=extra
    )
    rows = read()
    if rows.height < scoring.rows:  # a later file, or a revert, has replaced rows of this one
        log.info("%s: rows of %s as they were scored", spec.model, scoring.sha256[:12])
        then = scoring.dataset_version
        rows = read(sources=sources.open_all(env, spec, dataset.dataset, version=then))
    label: pl.Expr = pl.lit(None).alias(TARGET)
    if labelled:
        newest = _published(env, dataset.dataset, scoring).newest
        made = target.label(
            spec.target, candidate.features.task, dataset.columns[spec.target.column]
        )
        known = target.known(spec.target, dataset.time, newest)
        label = pl.when(known).then(made).alias(TARGET)
    learnt = _trained_rows(env, candidate, scoring)
    predictions = _predictions(env, scoring)
    joined = rows.lazy().with_columns(label).join(predictions, on=ROW, how="left")
    return joined.with_columns(pl.col(ROW).is_in(learnt).alias(TRAINED)).collect()


def _predictions(env: Environment, scoring: Scoring) -> pl.LazyFrame:
    table = delta.scan(env.predictions(scoring.model), scoring.table_version)
    mine = table.filter(pl.col(FILE) == scoring.sha256)
    names = {"prediction": PREDICTION, "probabilities": CHANCES}
    there = [name for name in names if name in table.collect_schema().names()]
    return mine.select(ROW, *(pl.col(name).alias(names[name]) for name in there))


def _trained_rows(env: Environment, candidate: Candidate, scoring: Scoring) -> list[int]:
    stored = pl.scan_parquet(env.lake / candidate.features.uri)
    mine = stored.filter(pl.col(ROLE) == "train", pl.col(FILE) == scoring.sha256)
    return mine.select(ROW).collect()[ROW].to_list()


def _earlier(env: Environment, scoring: Scoring) -> list[Observation]:
    """Observations of the files scored before this one."""
    found = []
    for event in env.ledger.events("scoring", scoring.model):
        if event.key == scoring.sha256:
            break
        if past := env.ledger.find("observation", scoring.model, event.key):
            found.append(Observation.model_validate(past.payload))
    return found


def _gate(env: Environment, scoring: Scoring) -> GateVerdict | None:
    found: list[Mapping[str, Any]] = [
        event.payload
        for event in env.ledger.events("gate", scoring.model)
        if event.payload["version"] == scoring.version
    ]
    return GateVerdict.model_validate(found[-1]) if found else None


def _published(env: Environment, dataset: str, scoring: Scoring) -> DatasetVersion:
    event = env.ledger.find("dataset_version", dataset, scoring.sha256)
    if event is None:
        raise IntegrityError(
            f"{scoring.model}: a file was scored that {dataset} never published "
            f"({scoring.sha256[:12]}); verify the ledger"
        )
    return DatasetVersion.model_validate(event.payload)
