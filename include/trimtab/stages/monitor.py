"""Look at every scored file once: against training, against the gate, for people and for guards."""

import functools
import json
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from trimtab import metrics
from trimtab.adapters import delta, evidently
from trimtab.config import ModelSpec
from trimtab.config.columns import primary_metric
from trimtab.environment import Environment
from trimtab.errors import IntegrityError, NotReadyError
from trimtab.features import sources, target, view
from trimtab.monitoring import detect, performance, profile, report
from trimtab.monitoring.profile import ColumnProfile, Kind, ReferenceProfile
from trimtab.serving import loader
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
    Finding,
    GateVerdict,
    Observation,
    Scoring,
)

log = logging.getLogger(__name__)
PREDICTION, CHANCES = "_prediction", "_probabilities"
TRAINED = "_trained"  # whether the version saw the row's label when it was trained


def monitor(env: Environment, model: str) -> list[Observation]:
    """Observe every scored file that was not observed yet, in the order of scoring.

    Raises:
        NotReadyError: every scored file was observed before.
    """
    env.project.model(model)
    scored = [Scoring.model_validate(e.payload) for e in env.ledger.events("scoring", model)]
    seen = {event.key for event in env.ledger.events("observation", model)}
    pending = [scoring for scoring in scored if scoring.sha256 not in seen]
    if not pending:
        raise NotReadyError(f"{model}: nothing to observe; every scored file was observed")
    return [observe(env, scoring) for scoring in pending]


def observe(env: Environment, scoring: Scoring) -> Observation:
    """Observe one scored file: numbers first, then the pages, the ledger last."""
    spec = env.project.model(scoring.model)
    candidate = candidate_of(env, scoring.model, scoring.version)
    reference = reference_profile(env, candidate)
    rows = _rows(env, spec, scoring, candidate)
    story = _story(env, spec, scoring, candidate, reference, rows)
    seen = _pages(env, spec, candidate, rows, story)
    event = env.ledger.append("observation", scoring.model, scoring.sha256, seen.to_json())
    seen = Observation.model_validate(event.payload)
    if event.new and seen.alarm:
        alarm = " and ".join(seen.alarm)
        env.notifier.send("warning", f"{seen.model} {seen.partition}: {alarm}", seen.summary)
    return seen


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
    loaded = loading.load(env, candidate)
    given = loaded.predict(rows.to_pandas())
    values = given.tolist()
    if loaded.task == "multiclass":
        values = [str(loaded.classes[i]) for i in given.argmax(axis=1)]
    frame = pl.DataFrame({PREDICTION: values})
    return profile.build(frame, {PREDICTION: _prediction_kind(candidate.features)})[PREDICTION]


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


def _story(
    env: Environment,
    spec: ModelSpec,
    scoring: Scoring,
    candidate: Candidate,
    reference: ReferenceProfile,
    rows: pl.DataFrame,
) -> report.Story:
    settings = spec.monitor
    schema = rows.schema
    reasons = {
        name: why
        for name, before in reference.columns.items()
        if (why := profile.unreadable(before.kind, schema.get(name)))
    }
    measured = profile.measure(rows, reference.columns)
    data = detect.compare(reference.columns, measured, settings, reasons=reasons)
    prediction = None
    if reference.prediction is not None:
        now = profile.measure(rows, {PREDICTION: reference.prediction}).get(PREDICTION)
        prediction = detect.compare_column(
            "prediction", reference.prediction, now, settings, signal="prediction"
        )
    gate = _gate(env, scoring)
    realised = _performance(env, spec, rows, gate, candidate)
    findings = [c.finding for c in data] + ([prediction.finding] if prediction else [])
    seen = Observation(
        model=scoring.model,
        version=scoring.version,
        sha256=scoring.sha256,
        partition=_partition(scoring),
        rows=rows.height,
        newest=scoring.newest,
        findings=(*findings, realised),
        alarm=detect.alarms(data, prediction, realised, settings),
        summary=detect.summary(data, prediction, realised),
        performance=realised.value,
        labelled=rows[TARGET].count(),
    )
    return report.Story(
        observation=seen,
        purpose=spec.purpose,
        data=data,
        prediction=prediction,
        performance=realised,
        history=[*_earlier(env, scoring), seen],
        gate=gate,
    )


def _performance(
    env: Environment,
    spec: ModelSpec,
    rows: pl.DataFrame,
    gate: GateVerdict | None,
    candidate: Candidate,
) -> Finding:
    """Judge rows with a known label that the version was not trained on."""
    task = candidate.features.task
    name = primary_metric(spec, task)
    known = rows.filter(pl.col(TARGET).is_not_null(), pl.col(PREDICTION).is_not_null())
    judged = known.filter(~pl.col(TRAINED))
    given = judged[PREDICTION if task != "multiclass" else CHANCES]
    classes = None
    if task == "multiclass":
        classes = [str(label) for label in loader.description(env.lake, candidate)["classes"]]
    return performance.measure(
        judged[TARGET].to_numpy(),
        np.asarray(given.to_list(), dtype=float),
        _blocks(judged, env.project.dataset(spec.score.on or spec.data.from_).time),
        metric=lambda y, p: metrics.score(name, y, p, classes),
        name=name,
        rows=rows.height,
        trained=known.height - judged.height,
        gate=gate,
        settings=spec.monitor,
    )


def _blocks(rows: pl.DataFrame, time: str | None) -> list[Any]:
    """Days for rows with a time, else twenty equal blocks of neighbouring rows."""
    if time:
        return rows[time].dt.date().to_list()
    return (pl.int_range(rows.height, eager=True) * 20 // max(rows.height, 1)).to_list()


def _pages(
    env: Environment,
    spec: ModelSpec,
    candidate: Candidate,
    rows: pl.DataFrame,
    story: report.Story,
) -> Observation:
    """Write Evidently's page, ours and the JSON; return the observation with the page's path."""
    folder = _folder(story)
    place = env.reports / folder
    features = candidate.features
    stored = pl.scan_parquet(env.lake / features.uri).filter(pl.col(ROLE) == "train")
    page = evidently.write_drift_page(
        stored.select(features.features).collect(),
        rows,
        place / "evidently.html",
        numeric=features.numeric,
        categorical=features.categorical,
        threshold=spec.monitor.drift,
    )
    seen = story.observation.model_copy(update={"report": str(folder / "index.html")})
    until = f"{features.train_until:%Y-%m-%d}" if features.train_until else ""
    told = report.with_pages(
        story,
        seen,
        evidently=page.note or "a sample of {:,} and {:,} rows".format(*page.sample),
        written=page.status == "written",
        left_out=page.left_out,
        trained_until=until,
    )
    report.write(report.render(told), place / "index.html")
    report.write(json.dumps(seen.to_json(), indent=1), place / "observation.json")
    return seen


def _folder(story: report.Story) -> Path:
    """The partition names the folder, unless another file of the same partition has it."""
    seen = story.observation
    name = re.sub(r"[^\w.-]+", "_", seen.partition).strip(".")[:80]
    taken = any(o.partition == seen.partition for o in story.history[:-1])
    return Path("models", seen.model, "monitor", seen.sha256[:12] if taken or not name else name)


def _partition(scoring: Scoring) -> str:
    names = sorted(scoring.partitions)
    if not names:
        return scoring.sha256[:12]
    return names[0] if len(names) == 1 else f"{names[0]}..{names[-1]}"


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
