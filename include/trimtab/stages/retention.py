"""Remove files that no kept version needs: first said, then recorded, then done."""

import logging
from datetime import datetime, timedelta

from trimtab.adapters import delta, delta_files
from trimtab.config.spec import format_duration
from trimtab.data import staging
from trimtab.environment import Environment
from trimtab.errors import NotReadyError
from trimtab.ledger import Event, datasets, locks
from trimtab.ledger.chain import digest
from trimtab.types import Candidate, FeatureSet, Retention, Scoring

log = logging.getLogger(__name__)
KIND = "retention"
KEEP, NEWEST = timedelta(days=30), 5


def retention(
    env: Environment,
    dataset: str,
    *,
    keep: timedelta = KEEP,
    newest: int = NEWEST,
    apply: bool = False,
    now: datetime | None = None,
    actor: str = "trimtab",
) -> Retention:
    """Say which files of ``dataset`` may go; with ``apply`` remove them and record it.

    A version stays when it is younger than ``keep``, one of the ``newest``, a model was trained on
    it, or a scored file of it waits to be observed. The record is written before the first file
    is removed, so that nothing is ever gone that the ledger does not name.

    Raises:
        NotReadyError: there is no table yet.
    """
    path = env.table(dataset)
    if not delta.exists(path):
        raise NotReadyError(f"{dataset}: no file was published yet, so there is nothing to remove")
    with locks.publishing(env.ledger, dataset):
        removal = _planned(env, dataset, now or env.clock.now(), keep, newest)
        removal = removal.model_copy(update={"actor": actor})
        if apply and removal.files:
            key = digest([removal.files, removal.versions])
            env.ledger.append(KIND, dataset, key, removal.to_json(), actor=actor)
            for file in removal.files:
                env.store.delete(file)
    done = "removed" if apply else "could be removed"
    log.info("%s: %d files, %d bytes %s", dataset, len(removal.files), removal.bytes, done)
    return removal


def _planned(
    env: Environment, dataset: str, now: datetime, keep: timedelta, newest: int
) -> Retention:
    path, limit, prefix = env.table(dataset), now - keep, f"datasets/{dataset}/"
    events = env.ledger.events(datasets.KIND, dataset)
    kept = _kept(env, dataset, events, limit, newest)
    last = delta.version(path)
    # a publication that was killed is told again from the version before the newest one
    needed = {name for v in {*kept, last, max(last - 1, 0)} for name in delta_files.files(path, v)}
    numbers = {int(event.payload["version"]) for event in events}
    before = {v: {*delta_files.files(path, v)} for v in sorted(numbers - {*kept})}
    old = set().union(*before.values()) | _leftovers(env, dataset, limit)
    there = {key.removeprefix(prefix) for key in env.store.keys(prefix)}
    loose = sorted((old & there) - needed)
    files = (*(prefix + name for name in loose), *_sources(env, dataset, limit))
    return Retention(
        dataset=dataset,
        keep=format_duration(keep),
        files=files,
        bytes=sum(env.store.size(key) for key in files),
        versions=tuple(v for v, names in before.items() if not names.isdisjoint(loose)),
        kept=kept,
    )


def _kept(
    env: Environment, dataset: str, events: list[Event], limit: datetime, newest: int
) -> tuple[int, ...]:
    """Versions that stay readable whatever happens to the others."""
    numbers = sorted({int(event.payload["version"]) for event in events})
    young = {int(event.payload["version"]) for event in events if event.at >= limit}
    used = _trained(env, dataset) | _unobserved(env, events)
    return tuple(v for v in numbers if v in {*young, *used, *numbers[-newest:]})


def _trained(env: Environment, dataset: str) -> set[int]:
    sets = [FeatureSet.model_validate(e.payload) for e in env.ledger.events("features")]
    trained = [Candidate.model_validate(e.payload) for e in env.ledger.events("training")]
    taken = [features.versions for features in (*sets, *(c.features for c in trained))]
    return {versions[dataset] for versions in taken if dataset in versions}


def _unobserved(env: Environment, events: list[Event]) -> set[int]:
    """Versions of scored files that monitoring has yet to look at."""
    mine = {event.key for event in events}
    scored = [Scoring.model_validate(e.payload) for e in env.ledger.events("scoring")]
    seen = {(e.subject, e.key) for e in env.ledger.events("observation")}
    return {
        s.dataset_version for s in scored if s.sha256 in mine and (s.model, s.sha256) not in seen
    }


def _leftovers(env: Environment, dataset: str, limit: datetime) -> set[str]:
    """Names of staged files that no publication is waiting for."""
    prefix = f"datasets/{dataset}/"
    done = {sha[:16] for sha in _finished(env, dataset, limit)}
    names = (key.removeprefix(prefix) for key in env.store.keys(prefix))
    return {n for n in names if n.endswith(".parquet") and n.split("-", 1)[0] in done}


def _sources(env: Environment, dataset: str, limit: datetime) -> list[str]:
    """Delivered bytes that nothing will be read from again."""
    keys = [staging.source_key(dataset, sha) for sha in _finished(env, dataset, limit)]
    return [key for key in keys if env.store.exists(key)]


def _finished(env: Environment, dataset: str, limit: datetime) -> list[str]:
    """Files judged before ``limit`` that are published, or never will be."""
    published = {event.key for event in env.ledger.events(datasets.KIND, dataset)}
    checked = {e.key: e.payload["passed"] for e in env.ledger.events("validation", dataset)}
    return [
        event.key
        for event in env.ledger.events("file", dataset)
        if event.at < limit
        and (
            event.key in published
            or event.payload["verdict"] != "accepted"
            or not checked.get(event.key, True)
        )
    ]
