"""One scored window with everything a family of signals may look at."""

import functools
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from trimtab.adapters import delta
from trimtab.config import ModelSpec
from trimtab.config.columns import available
from trimtab.config.monitor import Monitor
from trimtab.environment import Environment
from trimtab.features import sources, view
from trimtab.ledger import Event, prediction, versions
from trimtab.monitoring import looks, profile
from trimtab.monitoring.profile import ColumnProfile, Kind, ReferenceProfile
from trimtab.stages import loading
from trimtab.stages.watch import labels, reference
from trimtab.stages.watch.kept import kept, place
from trimtab.types import (
    FILE,
    ROLE,
    ROW,
    TARGET,
    Candidate,
    FeatureSet,
    GateVerdict,
    Scoring,
)
from trimtab.watch import Observation

log = logging.getLogger(__name__)
PREDICTION, CHANCES = "_prediction", "_probabilities"
PREDICTION_ID = prediction.COLUMN
TRAINED = "_trained"  # whether the version saw the row's label when it was trained
REPEATED = "_repeated"  # whether an earlier file was scored with the row: its label counts there


@dataclass(frozen=True)
class Look:
    """What one window is judged by.

    ``rows`` has a row for each scored one: the columns of its dataset and the joined features,
    ``_prediction`` and ``_probabilities``, ``_target`` where it is known by now, ``_trained`` and
    ``_repeated``. ``history`` is every earlier window of the model, oldest first, as it is known
    best, and ``looked`` how often this one was looked at before. ``labels_at`` is set when only
    the labels are looked at again; ``changed`` of them had been others. ``all_due``: the last of
    them can be known by now.
    """

    env: Environment
    spec: ModelSpec
    scoring: Scoring
    candidate: Candidate
    reference: ReferenceProfile
    rows: pl.DataFrame
    gate: GateVerdict | None
    history: tuple[Observation, ...]
    looked: int = 0
    labels_at: int | None = None
    changed: int = 0
    all_due: bool = True

    @property
    def settings(self) -> Monitor:
        """How the model is watched."""
        return self.spec.monitor

    @property
    def time(self) -> str | None:
        """The event time's column."""
        return self.env.project.dataset(self.spec.scored_on).time

    @property
    def oldest(self) -> datetime | None:
        """The event time of the first row."""
        at = self.rows[self.time].min() if self.time and self.time in self.rows.columns else None
        return at if isinstance(at, datetime) else None

    @property
    def looks(self) -> int:
        """How many looks at this window's labels a chance must answer for."""
        return looks.often(self.rows.height, self.rows[TARGET].count(), self.looked)


def look_at(env: Environment, scoring: Scoring, later: labels.Moment | None = None) -> Look:
    """Read what one scored file is judged by: at first, or when labels have come ``later``."""
    spec = env.project.model(scoring.model)
    candidate = versions.candidate(env.ledger, scoring.model, scoring.version)
    observed = env.ledger.events("observation", scoring.model)
    moment = later or labels.at_scoring(env, spec, scoring)
    return Look(
        env=env,
        spec=spec,
        scoring=scoring,
        candidate=candidate,
        reference=reference_profile(env, candidate),
        rows=_rows(env, spec, scoring, candidate, moment),
        gate=versions.newest_verdict(env.ledger, scoring.model, scoring.version),
        history=tuple(_earlier(env, scoring, observed)),
        looked=sum(event.payload["sha256"] == scoring.sha256 for event in observed),
        labels_at=later.version if later else None,
        changed=later.changed if later else 0,
        all_due=labels.all_due(spec, scoring, moment),
    )


def reference_profile(env: Environment, candidate: Candidate) -> ReferenceProfile:
    """Return what the version learnt from and predicted at its gate; built once, then a file."""
    path = place(env, candidate, "json")
    return kept(path, ReferenceProfile, lambda: _profiled(env, candidate))


def _profiled(env: Environment, candidate: Candidate) -> ReferenceProfile:
    features = candidate.features
    trained = reference.rows(env, candidate, "train").collect()
    held_out = reference.rows(env, candidate, "holdout").collect()
    return ReferenceProfile(
        model=candidate.model,
        version=candidate.version,
        key=candidate.key,
        rows=trained.height,
        columns=profile.build(trained, kinds(features)),
        prediction=_predicted(env, candidate, held_out),
    )


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
    env: Environment,
    spec: ModelSpec,
    scoring: Scoring,
    candidate: Candidate,
    moment: labels.Moment | None,
) -> pl.DataFrame:
    """Feature rows of a scored file with predictions, and ``_target`` where it can be known."""
    dataset = env.project.dataset(spec.scored_on)
    further = spec.monitor.labels.key if spec.monitor.labels else ()
    wanted = dict.fromkeys((spec.target.column, *further, *view.looked_at(spec)))
    there = {*dataset.columns, *_brought(env, spec)}
    extra = [name for name in wanted if name in there]
    read = functools.partial(
        view.rows_of_files, env, spec.model, [scoring.sha256], dataset=dataset.dataset, extra=extra
    )
    rows = read()
    if rows.height < scoring.rows:  # a later file, or a revert, has replaced rows of this one
        log.info("%s: rows of %s as they were scored", spec.model, scoring.sha256[:12])
        then = scoring.dataset_version
        rows = read(sources=sources.open_all(env, spec, dataset.dataset, version=then))
    answers = _predictions(env, scoring)
    predicted = rows.lazy().join(answers, on=ROW, how="left", maintain_order="left")
    known = labels.joined(env, spec, predicted, moment, [scoring.sha256]).collect()
    learnt = _trained_rows(env, candidate, scoring)
    again = labels.repeated(env, spec, scoring)
    known = known.with_columns(pl.col(ROW).is_in(learnt).alias(TRAINED))
    if again is None:
        return known.with_columns(pl.lit(False).alias(REPEATED))
    mine = again.with_columns(pl.lit(True).alias(REPEATED))
    return known.join(mine, on=list(dataset.key), how="left", maintain_order="left").with_columns(
        pl.col(REPEATED).fill_null(False)
    )


def _brought(env: Environment, spec: ModelSpec) -> set[str]:
    """Columns that joins, views and expressions bring to the rows of a dataset."""
    ours = env.project.dataset(spec.data.from_).columns
    return {name for name in available(spec, env.project.catalog) if name not in ours}


def _predictions(env: Environment, scoring: Scoring) -> pl.LazyFrame:
    table = delta.scan(env.predictions(scoring.model), scoring.table_version)
    mine = table.filter(pl.col(FILE) == scoring.sha256)
    names = {"prediction": PREDICTION, "probabilities": CHANCES, prediction.COLUMN: PREDICTION_ID}
    there = [name for name in names if name in table.collect_schema().names()]
    return mine.select(ROW, *(pl.col(name).alias(names[name]) for name in there))


def _trained_rows(env: Environment, candidate: Candidate, scoring: Scoring) -> list[int]:
    stored = pl.scan_parquet(env.lake / candidate.features.uri)
    mine = stored.filter(pl.col(ROLE) == "train", pl.col(FILE) == scoring.sha256)
    return mine.select(ROW).collect()[ROW].to_list()


def _earlier(env: Environment, scoring: Scoring, observed: Sequence[Event]) -> list[Observation]:
    """Windows of the files scored before this one, as they are known best by now."""
    scored = [event.key for event in env.ledger.events("scoring", scoring.model)]
    before = {sha: i for i, sha in enumerate(scored[: scored.index(scoring.sha256)])}
    seen = labels.observations(observed)
    return sorted((o for o in seen if o.sha256 in before), key=lambda o: before[o.sha256])
