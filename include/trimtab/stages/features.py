"""Build the rows of a model at fixed dataset versions, when there is a cause to train on them."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from trimtab.config import ModelSpec
from trimtab.config.columns import available, feature_columns, split_by, task_of
from trimtab.environment import Environment
from trimtab.errors import DataError, NotReadyError
from trimtab.evaluation import fingerprints
from trimtab.features import sources, split, store, target, view
from trimtab.features.join import ORDER
from trimtab.features.scope import Scope
from trimtab.features.sources import Source
from trimtab.features.steps import definitions
from trimtab.ledger import champion, versions
from trimtab.ledger.chain import digest
from trimtab.stages.configured import note_model
from trimtab.stages.scope import open_requests, scope
from trimtab.training.record import candidate_key, config_hash
from trimtab.types import ROLE, ROW, TARGET, Candidate, FeatureCost, FeatureSet

log = logging.getLogger(__name__)
# In this order when there are several.
_CAUSES = ("performance", "drift", "new_data", "manual", "recalibrate")


@dataclass(frozen=True)
class _Cause:
    name: str
    requests: tuple[str, ...]


def build_features(env: Environment, model: str, *, force: bool = False) -> FeatureSet:
    """Join, label and split the rows of ``model``, and write them once under their key.

    Raises:
        NotReadyError: there is no cause to train, these rows were trained on already, a dataset
            does not reach far enough, or there are too few rows; says which.
    """
    spec = env.project.model(model)
    found = sources.open_all(env, spec)
    wanted = scope(env, spec)
    key = _key(env, spec, found, wanted)
    if trained := env.ledger.find("training", model, candidate_key(key, spec)):
        return _resumed(env, Candidate.model_validate(trained.payload))
    cause = _cause(env, model, force=force)
    note_model(env, model)
    if event := env.ledger.find("features", model, key):
        known = FeatureSet.model_validate(event.payload)
        if (env.lake / known.uri).exists():
            return known
    newest = found[spec.data.from_].newest
    if text := sources.waiting(spec, env.project.catalog, newest, found):
        raise NotReadyError(f"{model}: {text}")
    rows, features = _built(env, spec, key, found, cause, wanted)
    _enough(spec, features, first=cause.name == "initial")
    sha256 = store.write(rows, env.lake / features.uri)
    if twin := _twin(env, spec, sha256):
        (env.lake / features.uri).unlink(missing_ok=True)
        return _resumed(env, twin)
    frozen = _freeze(env, rows, features)
    features = features.model_copy(update={"sha256": sha256, "holdout_sha256": frozen})
    event = env.ledger.append("features", model, key, features.to_json())
    log.info(
        "%s: %s training and %s hold-out rows, %s not labelled yet, because %s",
        model,
        features.train_rows,
        features.holdout_rows,
        features.unlabelled,
        cause.name,
    )
    return FeatureSet.model_validate(event.payload)


def _built(
    env: Environment,
    spec: ModelSpec,
    key: str,
    found: Mapping[str, Source],
    cause: _Cause,
    wanted: Scope,
) -> tuple[pl.DataFrame, FeatureSet]:
    """Build the rows in scope; when too few are left of the new concept, those before it too."""
    seconds: dict[str, float] = {}
    rows, unlabelled = _rows(env, spec, found, seconds, wanted)
    rows, until = _split(env, spec, rows, _narrowed(env, spec, found, wanted))
    features = _record(env, spec, key, rows, found, unlabelled, cause, until, wanted)
    if wanted.since and any(_short(spec, features)):
        log.info("%s: too few rows since %s; all are taken", spec.model, wanted.since)
        rows, features = _built(env, spec, key, found, cause, replace(wanted, since=None))
        return rows, features.model_copy(update={"asked_since": wanted.since})
    return rows, features.model_copy(update={"costs": _costs(rows, features, seconds)})


def _narrowed(
    env: Environment, spec: ModelSpec, found: Mapping[str, Source], wanted: Scope
) -> Source:
    return wanted.narrowed(found[spec.data.from_], env.project.dataset(spec.data.from_).time)


def _key(env: Environment, spec: ModelSpec, found: Mapping[str, Source], wanted: Scope) -> str:
    parts = spec.model_dump(
        mode="json", by_alias=True, include={"model", "task", "data", "target", "features", "split"}
    )
    catalog = env.project.catalog
    main, columns = catalog.datasets[spec.data.from_], available(spec, catalog)
    used = [*view.needed(spec, catalog), spec.target.column]
    contract = {name: columns[name].type for name in used if name in columns}
    versions = {name: source.version for name, source in found.items()}
    weight = [spec.train.weight] if spec.train.weight else []
    definition: list[Any] = [versions, parts, contract, list(main.key), main.time, *weight]
    if made := definitions(spec, catalog):
        definition.append(made)
    if extra := [
        name for name in view.looked_at(spec) if name not in feature_columns(spec, catalog)
    ]:
        definition.append(extra)
    return digest([*definition, *wanted.identity()])


def _twin(env: Environment, spec: ModelSpec, sha256: str) -> Candidate | None:
    """Return the version of this configuration that was trained on exactly these rows.

    A newer version of a joined table is a new key, but need not change a single row.
    """
    wanted = sha256, config_hash(spec)
    for event in env.ledger.events("training", spec.model):
        trained = Candidate.model_validate(event.payload)
        if (trained.features.sha256, trained.config_hash) == wanted:
            return trained
    return None


def _resumed(env: Environment, trained: Candidate) -> FeatureSet:
    """Return the set of a candidate that is still on its way; refuse one that was decided."""
    model, version = trained.model, trained.version
    if versions.is_open(env.ledger, model, version):
        return trained.features
    reason = f"same data and configuration as version {version}"
    for request in open_requests(env, model):
        closing = {"version": version, "reason": reason}
        env.ledger.append("retrain_closed", model, request, closing)
    raise NotReadyError(f"{model}: {reason}; nothing new to train on")


def _cause(env: Environment, model: str, *, force: bool) -> _Cause:
    asked = open_requests(env, model)
    if champion.current(env.ledger, model) is None:
        return _Cause("initial", tuple(asked))
    causes = {cause for decision in asked.values() for cause in decision.causes}
    if force:
        causes.add("manual")
    if not causes:
        raise NotReadyError(f"{model}: no cause to train: the champion serves, nobody asked")
    return _Cause("+".join(name for name in _CAUSES if name in causes), tuple(asked))


def rows_at(env: Environment, spec: ModelSpec, features: FeatureSet) -> pl.DataFrame:
    """Build the labelled rows of a feature set again, with target and role.

    Raises:
        NotReadyError: a dataset's version is not known any more.
    """
    found, kept = _found_again(env, features), Scope(features.left_out, features.since)
    rows, _ = _rows(env, spec, found, {}, kept)
    return _split(env, spec, rows, _narrowed(env, spec, found, kept))[0]


def unlabelled_at(env: Environment, spec: ModelSpec, features: FeatureSet) -> pl.DataFrame:
    """Build the rows whose label was due and had not come when a feature set was built.

    They have the role that a label would have given them.

    Raises:
        NotReadyError: a dataset's version is not known any more.
    """
    found, kept = _found_again(env, features), Scope(features.left_out, features.since)
    source, tables = _narrowed(env, spec, found, kept), _tables(found)
    names = view.needed(spec, env.project.catalog)
    ours = _due(env, spec, found, source).filter(pl.col(TARGET).is_null())
    rows = view.joined(ours, spec, env.project.catalog, tables, names)
    if features.train_until is None:
        return _split(env, spec, rows, source)[0]
    main = env.project.dataset(spec.data.from_)
    return split.by_time(rows, str(main.time), features.train_until)


def _found_again(env: Environment, features: FeatureSet) -> dict[str, Source]:
    return {name: sources.published(env, name, at) for name, at in features.versions.items()}


def _rows(
    env: Environment,
    spec: ModelSpec,
    found: Mapping[str, Source],
    seconds: dict[str, float],
    wanted: Scope,
) -> tuple[pl.DataFrame, int]:
    """Return the labelled rows in a fixed order, and how many have no label."""
    catalog, source = env.project.catalog, _narrowed(env, spec, found, wanted)
    ours = _due(env, spec, found, source).filter(pl.col(TARGET).is_not_null())
    names = [*view.needed(spec, catalog), TARGET]
    joined = view.joined(ours, spec, catalog, _tables(found), names, seconds=seconds)
    rows = target.checked(joined, spec.target, task_of(spec, catalog))
    return rows, source.rows - rows.height


def _tables(found: Mapping[str, Source]) -> dict[str, pl.LazyFrame]:
    return {name: each.table for name, each in found.items()}


def _due(
    env: Environment, spec: ModelSpec, found: Mapping[str, Source], source: Source
) -> pl.LazyFrame:
    """The rows whose label can be known, in a fixed order, with what is known of it."""
    main = env.project.dataset(spec.data.from_)
    label = target.label(
        spec.target, task_of(spec, env.project.catalog), main.columns[spec.target.column]
    )
    can_know = target.known(spec.target, main.time, found[spec.data.from_].newest)
    order = [*([main.time] if main.time else []), ORDER, ROW]
    return source.table.with_columns(label).filter(can_know).sort(order)


def _split(
    env: Environment, spec: ModelSpec, rows: pl.DataFrame, source: Source
) -> tuple[pl.DataFrame, datetime | None]:
    """Return the rows with their role and, by time, the moment the hold-out begins."""
    main, by = env.project.catalog.datasets[spec.data.from_], split_by(spec, env.project.catalog)
    holdout, seed = spec.split.holdout, spec.split.seed
    if by == "time":
        if main.time is None or source.newest is None:
            raise NotReadyError(f"{spec.model}: {spec.data.from_} has no event time yet")
        until = split.cut(rows, main.time, source.newest, holdout)
        return split.by_time(rows, main.time, until), until
    if isinstance(holdout, timedelta):
        raise DataError(f"{spec.model}: split.holdout is a duration, the split is by {by}")
    key = [spec.split.group] if by == "group" and spec.split.group else main.key
    return split.by_key(rows, key, holdout, seed), None


def _record(
    env: Environment,
    spec: ModelSpec,
    key: str,
    rows: pl.DataFrame,
    found: Mapping[str, Source],
    unlabelled: int,
    cause: _Cause,
    until: datetime | None,
    wanted: Scope,
) -> FeatureSet:
    catalog, newest = env.project.catalog, _narrowed(env, spec, found, wanted).newest
    grouped = split_by(spec, catalog) == "group"
    roles = dict(rows[ROLE].value_counts().iter_rows())
    return FeatureSet(
        model=spec.model,
        key=key,
        uri=str(store.path(env.lake, spec.model, key).relative_to(env.lake)),
        task=task_of(spec, catalog),
        **view.columns_by_kind(feature_columns(spec, catalog)),
        group=spec.split.group if grouped else None,
        weight=spec.train.weight,
        train_rows=roles.get("train", 0),
        holdout_rows=roles.get("holdout", 0),
        unlabelled=unlabelled,
        train_until=until,
        holdout_until=newest,
        versions={name: source.version for name, source in found.items()},
        views=tuple(use.view for use in spec.data.views),
        cause=cause.name,
        requests=cause.requests,
        left_out=wanted.files,
        since=wanted.since,
        asked_since=wanted.since,
        recalibrates=wanted.recalibrates,
    )


def _freeze(env: Environment, rows: pl.DataFrame, features: FeatureSet) -> str:
    """List the hold-out rows by fingerprint, before anybody trains; return the list's hash."""
    prints = fingerprints.listed(rows.filter(pl.col(ROLE) == "holdout"))
    listed = pl.DataFrame({fingerprints.COLUMN: prints})
    store.write(listed, fingerprints.path(env.lake / features.uri))
    return fingerprints.sha256(prints)


def _costs(
    rows: pl.DataFrame, features: FeatureSet, seconds: Mapping[str, float]
) -> dict[str, FeatureCost]:
    """What each feature costs; a column of the model's own dataset brings itself."""
    return {
        name: FeatureCost(
            seconds=round(seconds.get(name, 0.0), 4),
            null_rate=rows[name].null_count() / rows.height if rows.height else 0.0,
            bytes=int(rows[name].estimated_size()),
        )
        for name in features.features
    }


def _enough(spec: ModelSpec, features: FeatureSet, *, first: bool) -> None:
    """Refuse to begin with too few rows: of training always, of hold-out for the first model."""
    short = _short(spec, features)[: None if first else 1]
    if told := [text for text in short if text]:
        raise NotReadyError(f"{spec.model}: waiting for more data, there are {' and '.join(told)}")


def _short(spec: ModelSpec, features: FeatureSet) -> list[str]:
    """What there is too little of, to train on and to judge by; nothing is an empty text."""
    sides = [
        (features.train_rows, spec.train.min_rows, "training"),
        (features.holdout_rows, spec.gate.min_rows, "hold-out"),
    ]
    return [f"{n} of {least} {side} rows" if n < least else "" for n, least, side in sides]
