"""Put the newest row of each entity of a feature view online."""

import itertools
import logging
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

import polars as pl

from trimtab.adapters.online import OnlineStore, Shelf, open_online
from trimtab.config.view import FeatureView
from trimtab.environment import Environment
from trimtab.errors import NotReadyError
from trimtab.features import online, sources
from trimtab.features.views import TIME, view_rows
from trimtab.ledger import datasets
from trimtab.ledger.chain import digest
from trimtab.types import FILE, DatasetVersion, Materialization

log = logging.getLogger(__name__)
KIND = "materialization"
_BATCH = 5_000  # rows of one transaction


def materialize(env: Environment, view: str, *, version: int | None = None) -> Materialization:
    """Put a dataset version's newest row of each entity online; the newest version by default.

    Only rows of files published since the last time are written, unless the view's definition
    has changed or rows have left the dataset since: then all of them, beside the old ones, which
    go when the new ones are complete. A version older than what is online already changes nothing.

    Raises:
        NotReadyError: nothing was published yet, or the view is not kept online.
    """
    spec = env.project.view(view)
    if not spec.online:
        raise NotReadyError(f"{view} is not kept online; set online: true in features/{view}.yaml")
    store = open_online(env.online)
    asked = datasets.at(env.ledger, spec.from_, version).version
    with env.ledger.lock(f"materialize:{view}"):
        return _materialized(env, spec, store, asked)


def _materialized(
    env: Environment, spec: FeatureView, store: OnlineStore, asked: int
) -> Materialization:
    definition = online.definition(spec, env.project.dataset(spec.from_))
    there = [s for s in store.shelves(spec.view) if s.definition == definition]
    version = max([asked, *(s.completed for s in there)])
    shelf = _shelf(env, spec, definition, version)
    before = next((s for s in there if s.name == shelf.name), None)
    key = f"{definition}:{version}:{digest(store.place)[:8]}"
    done = env.ledger.find(KIND, spec.view, key)
    if done is None or before is None or before.completed < version:
        record = _written(env, spec, store, shelf, before)
        done = env.ledger.append(KIND, spec.view, key, record.to_json())
    store.drop(replace(shelf, completed=version))
    return Materialization.model_validate(done.payload)


def _shelf(env: Environment, spec: FeatureView, definition: str, version: int) -> Shelf:
    """Name the shelf: by definition, and by the last version that took rows away.

    On one shelf rows are only ever added, so that what is newer by its time is newer for good.
    """
    known = datasets.versions(env.ledger, spec.from_)
    lossy = [r.version for r in known if r.version <= version and _took_away(r)]
    name = f"{definition[:16]}.{max(lossy, default=0)}"
    return Shelf(spec.view, name, definition, begun=version)


def _took_away(record: DatasetVersion) -> bool:
    gone = record.rows_removed or record.rows_updated
    return bool(gone) or record.operation in ("revert", "replace_partition")


def _written(
    env: Environment, spec: FeatureView, store: OnlineStore, shelf: Shelf, before: Shelf | None
) -> Materialization:
    done = before.completed if before else -1
    table = _table(env, spec.from_, done, shelf.begun)
    dataset = env.project.dataset(spec.from_)
    rows = view_rows(spec, dataset, table).collect()
    newest = cast("datetime | None", rows[TIME].max())
    since = _horizon(env, newest, before)
    frame = online.needed(rows.lazy(), spec.entity, since)
    mark = online.stamp(since)
    store.begin(shelf)
    stream = online.Codec.of(spec, dataset).rows(frame, shelf.begun)
    while batch := list(itertools.islice(stream, _BATCH)):
        store.put(shelf, batch, since=mark)
    store.finish(replace(shelf, completed=shelf.begun, since=mark))
    log.info("%s: %s rows of version %s online", spec.view, frame.height, shelf.begun)
    return Materialization(
        view=spec.view,
        dataset=spec.from_,
        version=shelf.begun,
        definition=shelf.definition,
        shelf=shelf.name,
        rows=frame.height,
        incremental=done >= 0,
        since=since,
        newest=newest,
        place=store.place,
    )


def _table(env: Environment, dataset: str, done: int, version: int) -> pl.LazyFrame:
    """Open the table at a version, without the rows of files that are online already."""
    table = sources.published(env, dataset, version).table
    if done < 0:
        return table
    known = datasets.versions(env.ledger, dataset)
    news = [record.sha256 for record in known if done < record.version <= version]
    return table.filter(pl.col(FILE).is_in(news))


def _horizon(env: Environment, newest: datetime | None, before: Shelf | None) -> datetime:
    """Return the earliest moment the rows must answer for: the newest event time, or now.

    Some event times lie in the future; what is asked for now must not be thrown away for them.
    """
    marks = [min(newest, env.clock.now())] if newest else []
    if before and before.since:
        marks.append(online.moment(before.since))
    return max(marks, default=datetime.min.replace(tzinfo=UTC))
