"""Published tables at the versions the ledger knows, and whether they reach far enough."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from trimtab.adapters import delta
from trimtab.config import ModelSpec
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
    """Open the model's dataset (or ``main`` in its place) and every joined one.

    ``version`` is the one of the first to open, the newest by default.

    Raises:
        NotReadyError: names every dataset that was not published yet.
    """
    names = dict.fromkeys([main or spec.data.from_, *(join.dataset for join in spec.data.join)])
    missing = [name for name in names if env.ledger.latest("dataset_version", name) is None]
    if missing:
        raise NotReadyError(f"waiting for the first published file of {', '.join(missing)}")
    with locks.publishing(env.ledger, *names):
        first = next(iter(names))
        return {name: published(env, name, version if name == first else None) for name in names}


def waiting(spec: ModelSpec, newest: datetime | None, sources: Mapping[str, Source]) -> str:
    """Say what the rows up to ``newest`` still wait for; empty when every join reaches."""
    return "; ".join(_short(spec, newest, sources))


def _short(
    spec: ModelSpec, newest: datetime | None, sources: Mapping[str, Source]
) -> Iterable[str]:
    for join in spec.data.join:
        if not join.as_of or newest is None:
            continue
        needed, there = newest - join.allowed_lag, sources[join.dataset].newest
        if there is None or there < needed:
            yield (
                f"waiting for {join.dataset} until {needed:%Y-%m-%d %H:%M} UTC "
                f"(it ends {there:%Y-%m-%d %H:%M})"
                if there
                else f"waiting for {join.dataset}: it has no time yet"
            )
