"""Published tables at the versions the ledger knows, and whether they reach far enough."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from trimtab.adapters import delta
from trimtab.config import ModelSpec
from trimtab.config.catalog import Catalog
from trimtab.config.view import FeatureView
from trimtab.environment import Environment
from trimtab.errors import NotReadyError
from trimtab.features.join import ORDER
from trimtab.ledger import datasets, locks
from trimtab.types import FILE


@dataclass(frozen=True)
class Source:
    """One dataset at its newest published version."""

    dataset: str
    version: int
    rows: int
    newest: datetime | None
    table: pl.LazyFrame


def published(env: Environment, dataset: str, version: int | None = None) -> Source:
    """Open the newest published version of a dataset, or the one that is named.

    Raises:
        NotReadyError: nothing was published yet.
    """
    known = [
        record
        for record in datasets.versions(env.ledger, dataset)
        if version is None or record.version <= version
    ]
    if not known:
        raise NotReadyError(f"waiting for the first published file of {dataset}")
    last = known[-1]
    order = {record.sha256: record.version for record in known}
    rank = pl.col(FILE).replace_strict(order, default=-1, return_dtype=pl.Int64).alias(ORDER)
    table = delta.scan(env.table(dataset), last.version).with_columns(rank)
    return Source(dataset, last.version, last.total_rows, last.newest, table)


def open_all(
    env: Environment, spec: ModelSpec, main: str | None = None, *, version: int | None = None
) -> dict[str, Source]:
    """Open the model's dataset (or ``main`` in its place), every joined one, those of its views.

    ``version`` is the one of the first to open, the newest by default.

    Raises:
        NotReadyError: names every dataset that was not published yet.
    """
    joined = [join.dataset for join in spec.data.join]
    viewed = [env.project.view(use.view).from_ for use in spec.data.views]
    names = dict.fromkeys([main or spec.data.from_, *joined, *viewed])
    missing = [name for name in names if env.ledger.latest("dataset_version", name) is None]
    if missing:
        raise NotReadyError(f"waiting for the first published file of {', '.join(missing)}")
    with locks.publishing(env.ledger, *names):
        first = next(iter(names))
        return {name: published(env, name, version if name == first else None) for name in names}


def waiting(
    spec: ModelSpec, catalog: Catalog, newest: datetime | None, sources: Mapping[str, Source]
) -> str:
    """Say what the rows up to ``newest`` still wait for; empty when everything reaches."""
    if newest is None:
        return ""
    ends = [
        (join.dataset, sources[join.dataset].newest, newest - join.allowed_lag)
        for join in spec.data.join
        if join.as_of
    ]
    ends += [
        (view.from_, _ends(view, catalog, sources[view.from_]), newest - use.allowed_lag)
        for use in spec.data.views
        for view in [catalog.views[use.view]]
    ]
    return "; ".join(dict.fromkeys(_short(*end) for end in ends if not _reaches(*end)))


def _ends(view: FeatureView, catalog: Catalog, source: Source) -> datetime | None:
    """Newest event time of a view's rows."""
    if view.time in (None, catalog.datasets[view.from_].time):
        return source.newest
    newest = source.table.select(pl.col(str(view.time)).max()).collect().item()
    return newest if isinstance(newest, datetime) else None


def _reaches(_: str, there: datetime | None, needed: datetime) -> bool:
    return there is not None and there >= needed


def _short(dataset: str, there: datetime | None, needed: datetime) -> str:
    if there is None:
        return f"waiting for {dataset}: it has no time yet"
    return (
        f"waiting for {dataset} until {needed:%Y-%m-%d %H:%M} UTC (it ends {there:%Y-%m-%d %H:%M})"
    )
