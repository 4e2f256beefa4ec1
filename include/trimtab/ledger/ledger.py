"""Append and read events. One transaction per event; a repeated key returns the first event."""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ParamSpec, TypeVar, cast
from zlib import crc32

from sqlalchemy import Connection, Engine, Row, create_engine, event, insert, select, text
from sqlalchemy.exc import DBAPIError, OperationalError

from trimtab.clock import Clock, SystemClock
from trimtab.errors import DependencyError
from trimtab.ledger import chain
from trimtab.ledger.tables import events, metadata

P = ParamSpec("P")
R = TypeVar("R")
_WRITERS = "trimtab-ledger-writers"


@dataclass(frozen=True)
class Event:
    """One line of the ledger. ``new`` is False when the key had been written before."""

    seq: int
    at: datetime
    kind: str
    subject: str
    key: str
    actor: str
    payload: dict[str, Any]
    new: bool = False


@dataclass(frozen=True)
class Entry:
    """An event that is to be written."""

    kind: str
    subject: str
    key: str
    payload: Mapping[str, Any]
    actor: str = "trimtab"


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
    """The append-only record on PostgreSQL (SQLite in unit tests)."""

    def __init__(self, url: str, clock: Clock | None = None) -> None:
        self.url = url
        self.clock = clock or SystemClock()

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
        """Create the table when it is missing."""
        with self._writing() as connection:
            metadata.create_all(connection)

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
        """
        with self._writing() as connection:
            if found := self._find(connection, kind, subject, key):
                return found
            written = self._insert(connection, Entry(kind, subject, key, payload, actor))
            for entry in also:
                self._insert(connection, entry)
        return written

    def _insert(self, connection: Connection, new: Entry) -> Event:
        last = connection.execute(
            select(events.c.seq, events.c.hash).order_by(events.c.seq.desc()).limit(1)
        ).first()
        entry: dict[str, Any] = {
            "seq": last.seq + 1 if last else 1,
            "at": self.clock.now(),
            "kind": new.kind,
            "subject": new.subject,
            "key": new.key,
            "actor": new.actor,
            "payload": chain.plain(new.payload),
            "previous": last.hash if last else chain.GENESIS,
        }
        entry["hash"] = chain.entry_hash(entry["previous"], entry)
        connection.execute(insert(events).values(entry))
        fields = {name: entry[name] for name in Event.__dataclass_fields__ if name != "new"}
        return Event(**fields, new=True)

    @_reachable
    def find(self, kind: str, subject: str, key: str) -> Event | None:
        """Return the event with exactly this key, if any."""
        with self.engine.connect() as connection:
            return self._find(connection, kind, subject, key)

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
            return [_event(row) for row in connection.execute(query)]

    @_reachable
    def latest(self, kind: str, subject: str) -> Event | None:
        """Return the newest event of this kind about this subject."""
        query = select(events).where(events.c.kind == kind, events.c.subject == subject)
        with self.engine.connect() as connection:
            row = connection.execute(query.order_by(events.c.seq.desc()).limit(1)).first()
        return _event(row) if row else None

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
    def first_bad(self) -> int | None:
        """Verify the hash chain; return the ``seq`` of the first entry that does not fit."""
        with self.engine.connect() as connection:
            rows = connection.execute(select(events).order_by(events.c.seq)).mappings()
            return chain.first_bad(cast("Iterator[Mapping[str, Any]]", rows))

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
    def _writing(self) -> Iterator[Connection]:
        with self.engine.begin() as connection:
            if connection.dialect.name == "postgresql":  # a chain needs its writers in a row
                connection.execute(
                    text("select pg_advisory_xact_lock(:id)"), {"id": _lock_id(_WRITERS)}
                )
            yield connection

    @staticmethod
    def _find(connection: Connection, kind: str, subject: str, key: str) -> Event | None:
        row = connection.execute(
            select(events).where(
                events.c.kind == kind, events.c.subject == subject, events.c.key == key
            )
        ).first()
        return _event(row) if row else None


def _event(row: Row[Any]) -> Event:
    at = row.at if row.at.tzinfo else row.at.replace(tzinfo=UTC)  # SQLite forgets the zone
    return Event(row.seq, at, row.kind, row.subject, row.key, row.actor, row.payload)


def _lock_id(name: str) -> int:
    return crc32(name.encode())


def _sqlite_manual_begin(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
