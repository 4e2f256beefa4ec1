"""What is known of entities at a moment: from the online store, or from the table itself."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from trimtab.adapters.online import OnlineStore, Row, Shelf, open_online
from trimtab.config.spec import format_duration
from trimtab.config.view import FeatureView
from trimtab.environment import Environment
from trimtab.errors import NotReadyError
from trimtab.features import online, sources
from trimtab.features.entity import Entity
from trimtab.features.views import KNOWN, TIME, latest, view_rows
from trimtab.types import FeatureAnswer

Key = Mapping[str, Any]


def get(
    env: Environment,
    view: str,
    keys: Sequence[Key],
    *,
    at: datetime | None = None,
    store: OnlineStore | None = None,
) -> list[FeatureAnswer]:
    """Return what the online store knows of each entity at a moment (default: now).

    A row older than the view's ``max_age`` counts as missing. Who asks often passes ``store``,
    which keeps its connections.

    Raises:
        ConfigError: there is no such view.
        DataError: a key does not have the entity's columns, or a value is of another type.
        NotReadyError: the view is not online, was not materialized since its definition changed,
            or the moment lies before what is kept; says what to do.
    """
    spec = env.project.view(view)
    wanted = entity(env, view).checked(keys)
    moment = at or env.clock.now()
    store = store or open_online(env.online)
    shelf = _shelf(env, spec, store, moment)
    codec = online.Codec.of(spec, env.project.dataset(spec.from_))
    entities = [codec.key(key) for key in wanted]
    found = store.get(shelf, entities)
    return [
        _answer(spec, shelf, key, _newest(found.get(entity, []), moment), codec, moment)
        for key, entity in zip(wanted, entities, strict=True)
    ]


def get_offline(
    env: Environment, view: str, keys: Sequence[Key], *, at: datetime | None = None
) -> list[FeatureAnswer]:
    """Return what the dataset's table knows of each entity at a moment, as a training sees it.

    Raises:
        ConfigError: there is no such view.
        DataError: a key does not have the entity's columns, or a value is of another type.
        NotReadyError: nothing was published yet.
    """
    spec = env.project.view(view)
    wanted = entity(env, view).checked(keys)
    moment = at or env.clock.now()
    source, dataset = sources.published(env, spec.from_), env.project.dataset(spec.from_)
    names = list(spec.entity)
    asked = pl.LazyFrame(wanted, schema_overrides=source.table.select(names).collect_schema())
    mine = source.table.join(asked.unique(), on=names, how="semi")
    seen = latest(view_rows(spec, dataset, mine), spec, moment).collect()
    rows = {tuple(row[name] for name in names): row for row in seen.to_dicts()}
    columns = online.Codec.of(spec, dataset).types
    answers = []
    for key in wanted:
        row = rows.get(tuple(key.values()))
        found = FeatureAnswer(
            view=view, key=key, version=source.version, reason="" if row else _none(spec, moment)
        )
        if row:
            values = {name: row[name] for name in columns}
            facts = {"values": values, "time": row[TIME], "known": row[KNOWN]}
            found = found.model_copy(update=facts)
        answers.append(found)
    return answers


def entity(env: Environment, view: str) -> Entity:
    """Return what names an entity of a view.

    Raises:
        ConfigError: there is no such view.
    """
    spec = env.project.view(view)
    return Entity.of(spec, env.project.dataset(spec.from_))


def serving(env: Environment, view: str, store: OnlineStore) -> Shelf | None:
    """Return the rows that answer for a view as it is defined now; None when there are none."""
    spec = env.project.view(view)
    definition = online.definition(spec, env.project.dataset(spec.from_))
    whole = [s for s in store.shelves(view) if s.definition == definition and s.completed >= 0]
    return max(whole, key=lambda shelf: shelf.completed, default=None)


def _shelf(env: Environment, spec: FeatureView, store: OnlineStore, at: datetime) -> Shelf:
    if not spec.online:
        raise NotReadyError(
            f"{spec.view} is not kept online; set online: true in features/{spec.view}.yaml, "
            "or ask the table with --offline"
        )
    shelf = serving(env, spec.view, store)
    if shelf is None:
        raise NotReadyError(
            f"{spec.view} is not online in {store.place} as it is defined now; "
            f"run 'trimtab features materialize {spec.view}'"
        )
    if online.stamp(at) < shelf.since:
        raise NotReadyError(
            f"{spec.view} answers online for {shelf.since} UTC and later, not for {at}; "
            "ask the table with --offline"
        )
    return shelf


def _newest(rows: Sequence[Row], at: datetime) -> Row | None:
    mark = online.stamp(at)
    visible = [row for row in rows if row.visible <= mark]
    return max(visible, key=lambda row: (row.time, row.known), default=None)


def _answer(
    spec: FeatureView,
    shelf: Shelf,
    key: dict[str, Any],
    row: Row | None,
    codec: online.Codec,
    at: datetime,
) -> FeatureAnswer:
    found = FeatureAnswer(view=spec.view, key=key, version=shelf.completed)
    if row is None:
        return found.model_copy(update={"reason": _none(spec, at)})
    time = online.moment(row.time)
    if spec.max_age is not None and at - time > spec.max_age:
        return found.model_copy(update={"reason": _none(spec, at)})
    facts = {"values": codec.values(row), "time": time, "known": online.moment(row.known)}
    return found.model_copy(update=facts)


def _none(spec: FeatureView, at: datetime) -> str:
    age = f", not older than {format_duration(spec.max_age)}" if spec.max_age else ""
    return f"no row that is known at {at:%Y-%m-%d %H:%M:%S}{age}"
