"""Labels as they arrive: in the scored table, by a later upsert, or in a dataset of their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from trimtab.adapters import delta
from trimtab.config import DatasetSpec, ModelSpec
from trimtab.config.columns import task_of
from trimtab.environment import Environment
from trimtab.features import sources, target
from trimtab.features.join import ORDER
from trimtab.ledger import Event, prediction
from trimtab.monitoring import looks
from trimtab.types import FILE, ROW, TARGET, DatasetVersion, Scoring
from trimtab.watch import Observation

_OWN = "_label"  # what the target's own column says


@dataclass(frozen=True)
class Moment:
    """A version of the dataset that brings the labels, and the data's own time when it was made."""

    version: int
    newest: datetime | None
    changed: int = 0  # labels of a window that were known before, and are others by then


def brought_by(env: Environment, spec: ModelSpec) -> DatasetSpec:
    """Return the dataset the truth arrives in."""
    own = spec.monitor.labels.dataset if spec.monitor.labels else None
    return env.project.dataset(own or spec.scored_on)


def known_at(env: Environment, spec: ModelSpec, version: int | None = None) -> Moment | None:
    """Return the newest moment of the labels, or that of a version; None before the first file."""
    events = env.ledger.events("dataset_version", brought_by(env, spec).dataset)
    made = [e for e in events if version is None or e.payload["version"] <= version]
    if not made:
        return None
    last = max(made, key=lambda event: int(event.payload["version"]))
    return Moment(int(last.payload["version"]), _now(env, spec, last))


def at_scoring(env: Environment, spec: ModelSpec, scoring: Scoring) -> Moment | None:
    """Return the labels' moment when a file was scored: what the first look goes by."""
    if not spec.monitor.labels:
        event = env.ledger.find("dataset_version", spec.scored_on, scoring.sha256)
        newest = DatasetVersion.model_validate(event.payload).newest if event else None
        return Moment(scoring.dataset_version, newest)
    scored = env.ledger.find("scoring", scoring.model, scoring.sha256)
    events = env.ledger.events("dataset_version", spec.monitor.labels.dataset)
    before = [e for e in events if scored is None or e.seq < scored.seq]
    return known_at(env, spec, int(before[-1].payload["version"])) if before else None


def all_due(spec: ModelSpec, scoring: Scoring, moment: Moment | None) -> bool:
    """Whether the label of the window's last row can be known."""
    if moment is None or moment.version < 0:
        return False
    if moment.newest is None or scoring.newest is None:
        return True
    return scoring.newest + spec.target.delay <= moment.newest


def joined(
    env: Environment, spec: ModelSpec, rows: pl.LazyFrame, moment: Moment | None, files: list[str]
) -> pl.LazyFrame:
    """Add ``_target`` to rows of scored files: null where it cannot be known at the moment.

    Where the rows have the target's own column, it is what the label says too.

    The label is looked up by the row's key (or its prediction's name), wherever it stands by now:
    an upsert may have moved it to another file. One row stays one.
    """
    brings, scored = brought_by(env, spec), env.project.dataset(spec.scored_on)
    if moment is None or spec.target.column not in brings.columns:
        return rows.with_columns(pl.lit(None).alias(TARGET))
    made = target.label(
        spec.target, task_of(spec, env.project.catalog), brings.columns[spec.target.column]
    )
    keys = joined_by(env, spec)
    there = sources.published(env, brings.dataset, moment.version).table
    if keys == [FILE, ROW]:
        there = there.filter(pl.col(FILE).is_in(files))
    labels = there.with_columns(made)
    if not once(env, spec):
        labels = labels.sort(ORDER, ROW).unique(keys, keep="last", maintain_order=True)
    labels = labels.select(*keys, TARGET, pl.col(spec.target.column).alias(_OWN))
    found = rows.join(labels, on=keys, how="left", maintain_order="left")
    due = target.known(spec.target, scored.time, moment.newest)
    names = {TARGET: TARGET, spec.target.column: _OWN}
    ours = {TARGET, *rows.collect_schema().names()}
    told = [pl.when(due).then(o).alias(n) for n, o in names.items() if n in ours]
    return found.with_columns(told).drop(_OWN)


def joined_by(env: Environment, spec: ModelSpec) -> list[str]:
    """Columns by which a label finds its row."""
    labels, scored = spec.monitor.labels, env.project.dataset(spec.scored_on)
    if labels and labels.key:
        return list(labels.key)
    if labels and prediction.COLUMN in brought_by(env, spec).columns:
        return [prediction.COLUMN]
    return list(scored.key) if labels or _moves(env, scored) else [FILE, ROW]


def once(env: Environment, spec: ModelSpec) -> bool:
    """Whether each label comes once by its key, so that only a rewritten row changes it."""
    by = sorted(joined_by(env, spec))
    return by in (sorted(brought_by(env, spec).key), sorted((FILE, ROW)))


def _moves(env: Environment, scored: DatasetSpec) -> bool:
    """Whether a row may stand in another file later: an upsert, or a file that came again."""
    made = env.ledger.events("dataset_version", scored.dataset)
    return scored.write != "append" or any(e.payload.get("operation") == "restate" for e in made)


def repeated(env: Environment, spec: ModelSpec, scoring: Scoring) -> pl.DataFrame | None:
    """Return keys of the file's rows that an earlier scored file had: their labels count there."""
    dataset = env.project.dataset(spec.scored_on)
    if not _moves(env, dataset):  # a key comes once
        return None
    earlier = _scored_before(env, scoring)
    if not earlier:
        return None
    table = delta.scan(env.predictions(scoring.model), scoring.table_version)
    mine = table.filter(pl.col(FILE) == scoring.sha256).select(dataset.key)
    theirs = table.filter(pl.col(FILE).is_in(earlier)).select(dataset.key)
    return mine.join(theirs, on=list(dataset.key), how="semi").unique().collect()


def observations(events: Sequence[Event]) -> list[Observation]:
    """Return windows as they are known best by these events."""
    return looks.merged([Observation.model_validate(event.payload) for event in events])


def _now(env: Environment, spec: ModelSpec, event: Event) -> datetime | None:
    """The data's own time at an entry: that of the labels, or of the scored table when later."""
    times = [DatasetVersion.model_validate(event.payload).newest]
    scored = env.ledger.events("dataset_version", spec.scored_on) if spec.monitor.labels else []
    times += [DatasetVersion.model_validate(e.payload).newest for e in scored if e.seq < event.seq]
    return max((time for time in times if time), default=None)


def _scored_before(env: Environment, scoring: Scoring) -> list[str]:
    shas = [event.key for event in env.ledger.events("scoring", scoring.model)]
    return shas[: shas.index(scoring.sha256)] if scoring.sha256 in shas else shas
