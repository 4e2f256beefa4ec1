"""The newest features of every entity, in PostgreSQL or Redis: what both backends promise.

Rows lie on shelves. A shelf holds one view by one definition; a changed definition gets a new one,
so values of two definitions never mix. A row never replaces a newer one, whoever writes last.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from trimtab.errors import TrimtabError


class OnlineStoreError(TrimtabError):
    """An online store that cannot be used as it is configured."""


class Row(NamedTuple):
    """What is known of one entity from one moment on.

    ``time`` and ``known`` are text of one width that sorts like the times. Of two rows the one
    with the greater (time, known) is newer; of equal ones that of the later dataset version.
    """

    entity: str
    time: str
    known: str
    version: int  # of the dataset, when it was written
    values: str

    @property
    def visible(self) -> str:
        """The moment from which the row counts: it has happened and is known."""
        return max(self.time, self.known)


@dataclass(frozen=True)
class Shelf:
    """The rows of one view by one definition, and how far they are written."""

    view: str
    name: str
    definition: str
    begun: int = -1  # newest dataset version somebody began to write
    completed: int = -1  # newest one that is all there
    since: str = ""  # earliest moment its rows answer for


class OnlineStore(Protocol):
    """A place for the rows that are needed to answer for now and later."""

    @property
    def place(self) -> str:
        """The address without its password."""
        ...

    def shelves(self, view: str) -> list[Shelf]:
        """Return the shelves of a view; none before anything was written."""
        ...

    def begin(self, shelf: Shelf) -> None:
        """Note that ``shelf.begun`` is being written; earlier notes stay."""
        ...

    def put(self, shelf: Shelf, rows: Sequence[Row], *, since: str) -> None:
        """Write rows, each atomically, and drop those of their entities that nobody needs.

        A row is needed while no newer one is visible at ``since``; on a shelf that was never
        completed there is nothing to drop. Rows of one entity come one after another.
        """
        ...

    def finish(self, shelf: Shelf) -> None:
        """Note that the rows of ``shelf.completed`` are all there."""
        ...

    def get(self, shelf: Shelf, entities: Sequence[str]) -> Mapping[str, list[Row]]:
        """Return the rows of these entities, in any order."""
        ...

    def drop(self, shelf: Shelf) -> int:
        """Remove the view's other shelves up to the version of this one; return how many."""
        ...

    def probe(self) -> str:
        """Ask whether it answers; return one line about it."""
        ...


def merged(one: Shelf, other: Shelf) -> Shelf:
    """Return a shelf as two writers' notes on it leave it: the later mark of each counts."""
    return replace(
        one,
        begun=max(one.begun, other.begun),
        completed=max(one.completed, other.completed),
        since=max(one.since, other.since),
    )


def open_online(url: str) -> OnlineStore:
    """Open the store of an address; connects when it is asked.

    Raises:
        OnlineStoreError: there is no backend for this address, or its package is missing.
    """
    scheme = url.partition(":")[0]
    if scheme in ("redis", "rediss", "unix"):
        from trimtab.adapters.online_redis import RedisStore

        return RedisStore(url)
    if scheme.partition("+")[0] in ("postgresql", "sqlite"):
        from trimtab.adapters.online_sql import SqlStore

        return SqlStore(url)
    raise OnlineStoreError(
        f"online: nothing is known about {scheme}:// addresses; "
        "use a PostgreSQL URL, redis://HOST:PORT/DB or 'embedded'"
    )
