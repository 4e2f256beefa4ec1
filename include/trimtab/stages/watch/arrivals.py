"""Windows whose labels deserve another look: more have come, or those that were there changed."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import polars as pl

from trimtab.adapters import delta
from trimtab.config import ModelSpec
from trimtab.environment import Environment
from trimtab.features import sources
from trimtab.ledger import datasets
from trimtab.monitoring import looks
from trimtab.stages.watch import labels
from trimtab.stages.watch.labels import Moment
from trimtab.types import FILE, TARGET, DatasetVersion, Scoring
from trimtab.watch import Observation

RECENT = 24  # windows whose labels may still change: as many as the page shows
_THEN = "_then"


def due(env: Environment, spec: ModelSpec) -> list[tuple[Scoring, Moment]]:
    """Return the windows to look at again, in the order of their scoring."""
    now = labels.known_at(env, spec)
    if now is None:
        return []
    seen = [each for each in _seen(env, spec) if each[2].version < now.version]
    changed = _changed(env, spec, seen, now)
    asked = [each for each in seen if changed.get(each[0].sha256) or _incomplete(each[1])]
    counts = _counted(env, spec, [scoring for scoring, _, _ in asked], now)
    found = []
    for scoring, last, before in asked:
        known, news = counts.get(scoring.sha256, 0), changed.get(scoring.sha256, 0)
        was = looks.Labels(last.labelled, labels.all_due(spec, scoring, before))
        here = looks.Labels(known, labels.all_due(spec, scoring, now), news)
        if looks.again(scoring.rows, was, here, spec.monitor.min_rows):
            found.append((scoring, replace(now, changed=news)))
    return found


def _seen(env: Environment, spec: ModelSpec) -> list[tuple[Scoring, Observation, Moment]]:
    """Scored files that were looked at, what was seen last, and the labels' moment then."""
    scored = [Scoring.model_validate(e.payload) for e in env.ledger.events("scoring", spec.model)]
    last = {o.sha256: o for o in labels.observations(env.ledger.events("observation", spec.model))}
    pairs = [(each, last[each.sha256]) for each in scored if each.sha256 in last]
    return [(each, seen, _then(env, spec, each, seen)) for each, seen in pairs]


def _then(env: Environment, spec: ModelSpec, scoring: Scoring, seen: Observation) -> Moment:
    later = seen.labels_at
    before = labels.known_at(env, spec, later) if later is not None else None
    before = before or labels.at_scoring(env, spec, scoring)
    return before or Moment(-1, None)  # before the first file of labels


def _incomplete(seen: Observation) -> bool:
    return seen.labelled < looks.COMPLETE * seen.rows


def _counted(
    env: Environment, spec: ModelSpec, scored: Sequence[Scoring], now: Moment
) -> dict[str, int]:
    """Known labels of each scored file, in one pass over the predictions."""
    if not scored:
        return {}
    files = [each.sha256 for each in scored]
    found = labels.joined(env, spec, _rows(env, spec, scored), now, files)
    return dict(found.group_by(FILE).agg(pl.col(TARGET).count()).collect().iter_rows())


def _changed(
    env: Environment,
    spec: ModelSpec,
    seen: Sequence[tuple[Scoring, Observation, Moment]],
    now: Moment,
) -> dict[str, int]:
    """Rows of each recent file whose label was known then, and is another one by now."""
    waiting: dict[Moment, list[Scoring]] = {}
    for scoring, last, before in seen[-RECENT:]:
        if last.labelled and _restated(env, spec, before, now):
            waiting.setdefault(before, []).append(scoring)
    found: dict[str, int] = {}
    for before, scored in waiting.items():
        files = [each.sha256 for each in scored]
        rows = labels.joined(env, spec, _rows(env, spec, scored), before, files)
        rows = labels.joined(env, spec, rows.rename({TARGET: _THEN}), now, files)
        other = pl.col(_THEN) != pl.col(TARGET)  # neither is null: a row may be gone altogether
        found |= dict(rows.group_by(FILE).agg(other.sum()).collect().iter_rows())
    return found


def _restated(env: Environment, spec: ModelSpec, before: Moment, now: Moment) -> bool:
    """Whether a version since may have changed what was there, and the old one can be read."""
    name = labels.brought_by(env, spec).dataset
    if before.version in _removed(env, name):
        return False
    since = [v for v in datasets.versions(env.ledger, name) if before.version < v.version]
    once = labels.once(env, spec)
    return any(not once or _rewrites(v) for v in since if v.version <= now.version)


def _rewrites(version: DatasetVersion) -> bool:
    changes = version.rows_updated or version.rows_removed
    return bool(changes) or version.operation in ("restate", "replace_partition", "revert")


def _removed(env: Environment, dataset: str) -> set[int]:
    """Versions whose files retention has removed."""
    gone: Iterable[dict[str, list[int]]] = (
        event.payload for event in env.ledger.events("retention", dataset)
    )
    return {version for each in gone for version in each["versions"]}


def _rows(env: Environment, spec: ModelSpec, scored: Sequence[Scoring]) -> pl.LazyFrame:
    """Scored rows with the columns by which labels find them."""
    rows = delta.scan(env.predictions(spec.model), max(each.table_version for each in scored))
    if not {*labels.joined_by(env, spec)} <= {*rows.collect_schema().names()}:  # columns of no key
        rows = sources.published(env, spec.scored_on).table
    return rows.filter(pl.col(FILE).is_in([each.sha256 for each in scored]))
