"""Append and read events. One transaction per event; a repeated key returns the first event."""

import functools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar, cast
from zlib import crc32

from sqlalchemy import Connection, Engine, create_engine, event, select, text
from sqlalchemy.exc import DBAPIError, OperationalError

from trimtab.clock import Clock, SystemClock
from trimtab.errors import DependencyError
from trimtab.ledger import chain, migrations
from trimtab.ledger.event import Entry, Event, of_row
from trimtab.ledger.keys import Keyring
from trimtab.ledger.tables import events
from trimtab.ledger.writing import Turn
from trimtab.types import ChainState

P = ParamSpec("P")
R = TypeVar("R")
_WRITERS = "trimtab-ledger-writers"


def _reachable(method: Callable[P, R]) -> Callable[P, R]:
    """Turn a database that does not answer into an error worth retrying."""

    @functools.wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except (OperationalError, DBAPIError) as error:
            if isinstance(error, OperationalError) or error.connection_invalidated:
                raise DependencyError(f"the ledger does not answer: {error.orig}") from error
            raise

    return call


class Ledger:
    """The append-only record on PostgreSQL (SQLite in unit tests).

    ``keys`` make and check the hashes of a chain that is under a key; ``origin`` says where this
    process writes from, and stands in every entry it writes.
    """

    def __init__(
        self,
        url: str,
        clock: Clock | None = None,
        keys: Keyring | None = None,
        origin: Mapping[str, Any] | None = None,
    ) -> None:
        self.url = url
        self.clock = clock or SystemClock()
        self.keys = keys or Keyring()
        self.origin = chain.plain(origin) if origin else None

    @functools.cached_property
    def engine(self) -> Engine:
        """Connect lazily, so that an environment can be opened without a database."""
        sqlite = self.url.startswith("sqlite")
        patience = {"timeout": 30} if sqlite else {}  # SQLite's writers wait for each other
        engine = create_engine(
            self.url,
            pool_pre_ping=True,
            json_serializer=chain.canonical,
            connect_args=patience,
        )
        if sqlite:  # one writer at a time, from the first statement of the transaction
            event.listen(engine, "begin", lambda c: c.exec_driver_sql("BEGIN IMMEDIATE"))
            event.listen(engine, "connect", _sqlite_manual_begin)
        return engine

    @_reachable
    def create(self) -> None:
        """Bring the database to the present schema, once, whoever asks at the same time."""
        with self.engine.connect() as connection:
            if migrations.current(connection) == migrations.HEAD:
                return
        with self._turn() as turn:
            migrations.upgrade(turn.connection)

    @_reachable
    def append(
        self,
        kind: str,
        subject: str,
        key: str,
        payload: Mapping[str, Any],
        *,
        actor: str = "trimtab",
        also: Sequence[Entry] = (),
    ) -> Event:
        """Write one event, or return the one that already has this kind, subject and key.

        What is in ``also`` is written with it in one transaction: all of it, or nothing.

        Raises:
            IntegrityError: the chain is under a key that this process does not have.
        """
        with self._turn() as turn:
            if found := turn.find(kind, subject, key):
                return found
            written = turn.append(Entry(kind, subject, key, payload, actor))
            for entry in also:
                turn.append(entry)
        return written

    @_reachable
    def use_key(self, *, actor: str, reason: str) -> Event:
        """Put what is written from now on under the first of this process's keys.

        Raises:
            IntegrityError: there is no key, or the one the chain is under is not among them.
        """
        with self._turn() as turn:
            return turn.use_key(actor, reason)

    @_reachable
    def find(self, kind: str, subject: str, key: str) -> Event | None:
        """Return the event with exactly this key, if any."""
        with self.engine.connect() as connection:
            return self._at(connection).find(kind, subject, key)

    @_reachable
    def events(
        self, kind: str | None = None, subject: str | None = None, *, after: int = 0
    ) -> list[Event]:
        """Return events in order, filtered by kind and subject, with ``seq`` above ``after``."""
        query = select(events).where(events.c.seq > after).order_by(events.c.seq)
        if kind is not None:
            query = query.where(events.c.kind == kind)
        if subject is not None:
            query = query.where(events.c.subject == subject)
        with self.engine.connect() as connection:
            return [of_row(row) for row in connection.execute(query)]

    @_reachable
    def latest(self, kind: str, subject: str) -> Event | None:
        """Return the newest event of this kind about this subject."""
        query = select(events).where(events.c.kind == kind, events.c.subject == subject)
        with self.engine.connect() as connection:
            row = connection.execute(query.order_by(events.c.seq.desc()).limit(1)).first()
        return of_row(row) if row else None

    @_reachable
    def subjects(self, kind: str) -> list[str]:
        """Return what there are events of this kind about, sorted."""
        query = select(events.c.subject).where(events.c.kind == kind).distinct()
        with self.engine.connect() as connection:
            return sorted(connection.execute(query).scalars())

    @_reachable
    def held(self, name: str) -> bool:
        """Whether some process holds a named lock now (a SQLite ledger keeps none)."""
        if self.engine.dialect.name != "postgresql":
            return False
        ours = {"id": _lock_id(name)}
        with self.engine.connect() as connection:
            free = connection.execute(text("select pg_try_advisory_lock(:id)"), ours).scalar()
            if free:
                connection.execute(text("select pg_advisory_unlock(:id)"), ours)
        return not free

    @_reachable
    def chain_key(self) -> str | None:
        """Return the id of the key the chain is under, None for a plain one."""
        with self.engine.connect() as connection:
            last = self._at(connection).switch()
        return str(last.payload["key"]) if last else None

    @_reachable
    def verify(self) -> ChainState:
        """Go along the whole chain; read entry by entry, so that its length costs no memory."""
        query = select(events).order_by(events.c.seq).execution_options(yield_per=2000)
        with self.engine.connect() as connection:
            rows = connection.execute(query).mappings()
            return chain.walked(cast("Iterator[Mapping[str, Any]]", rows), self.keys)

    def first_bad(self) -> int | None:
        """Verify the hash chain; return the ``seq`` of the first entry that does not fit."""
        return self.verify().bad

    @_reachable
    def hashes(self, seqs: Collection[int]) -> dict[int, str]:
        """Return the hashes of these entries, by ``seq``, of those that exist."""
        query = select(events.c.seq, events.c.hash).where(events.c.seq.in_(seqs))
        with self.engine.connect() as connection:
            return {row.seq: row.hash for row in connection.execute(query)}

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold a named lock across processes (PostgreSQL; a SQLite ledger has one process).

        For work that must not run twice at once and is not a ledger write, such as a Delta
        commit guarded by a look at its last transaction.
        """
        if self.engine.dialect.name != "postgresql":
            yield
            return
        with self.engine.connect() as connection:
            connection.execute(text("select pg_advisory_lock(:id)"), {"id": _lock_id(name)})
            try:
                yield
            finally:
                connection.execute(text("select pg_advisory_unlock(:id)"), {"id": _lock_id(name)})

    @contextmanager
    def _turn(self) -> Iterator[Turn]:
        with self.engine.begin() as connection:
            if connection.dialect.name == "postgresql":  # a chain needs its writers in a row
                connection.execute(
                    text("select pg_advisory_xact_lock(:id)"), {"id": _lock_id(_WRITERS)}
                )
            yield self._at(connection)

    def _at(self, connection: Connection) -> Turn:
        return Turn(connection, self.clock, self.keys, self.origin)


def _lock_id(name: str) -> int:
    return crc32(name.encode())


def _sqlite_manual_begin(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
