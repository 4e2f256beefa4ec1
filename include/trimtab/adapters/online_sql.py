"""Online features in PostgreSQL (SQLite in unit tests)."""

import functools
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any
from zlib import crc32

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    and_,
    any_,
    cast,
    create_engine,
    delete,
    event,
    exists,
    func,
    inspect,
    literal,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError

from trimtab.adapters.online import Row, Shelf, merged
from trimtab.errors import DependencyError

_PARAMETERS = 900  # bound values of one statement: fits SQLite
metadata = MetaData()
features = Table(
    "trimtab_online",
    metadata,
    Column("view", String(40), primary_key=True),
    Column("shelf", String(40), primary_key=True),
    Column("entity", Text, primary_key=True),
    Column("time", String(26), primary_key=True),
    Column("known", String(26), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("values", Text, nullable=False),
)
shelves = Table(
    "trimtab_online_shelves",
    metadata,
    Column("view", String(40), primary_key=True),
    Column("name", String(40), primary_key=True),
    Column("definition", String(64), nullable=False),
    Column("begun", Integer, nullable=False),
    Column("completed", Integer, nullable=False),
    Column("since", String(26), nullable=False),
)


class SqlStore:
    """One row per entity and moment; of one moment the later version stays."""

    def __init__(self, url: str) -> None:
        self.url = url

    @functools.cached_property
    def engine(self) -> Engine:
        """Connect lazily."""
        is_sqlite = self.url.startswith("sqlite")
        patience = {"timeout": 30} if is_sqlite else {"connect_timeout": 10}
        engine = create_engine(
            self.url, pool_pre_ping=True, hide_parameters=True, connect_args=patience
        )
        if is_sqlite:  # one writer at a time, from the first statement of the transaction
            event.listen(engine, "begin", lambda c: c.exec_driver_sql("BEGIN IMMEDIATE"))
            event.listen(engine, "connect", _manual_begin)
        return engine

    @property
    def place(self) -> str:
        """The address without its password."""
        url = self.engine.url
        return f"{url.get_backend_name()}://{url.host or ''}/{url.database}"

    def shelves(self, view: str) -> list[Shelf]:
        """Return the shelves of a view."""
        with self._asking() as connection:
            if not inspect(connection).has_table(shelves.name):
                return []
            found = connection.execute(select(shelves).where(shelves.c.view == view))
            return [Shelf(**row) for row in found.mappings()]

    def begin(self, shelf: Shelf) -> None:
        """Note what is being written."""
        with self._asking() as connection:
            if connection.dialect.name == "postgresql":
                _alone(connection, "tables")  # two makers of one table disturb each other
            metadata.create_all(connection)
        self._note(shelf)

    def finish(self, shelf: Shelf) -> None:
        """Note what is all there."""
        with self._asking() as connection:
            if connection.dialect.name == "postgresql":  # a new table's plans are bad for a minute
                connection.execute(text(f"analyze {features.name}"))
        self._note(shelf)

    def put(self, shelf: Shelf, rows: Sequence[Row], *, since: str) -> None:
        """Write rows, each atomically, and drop those that nobody needs."""
        if not rows:
            return
        with self._asking() as connection:
            if connection.dialect.name == "postgresql":
                _alone(connection, shelf.view)  # two that delete rows wait in a circle otherwise
                connection.execute(_all_at_once(shelf, rows))
            else:
                mine = {"view": shelf.view, "shelf": shelf.name}
                connection.execute(
                    _newer(sqlite.insert(features)), [{**mine, **row._asdict()} for row in rows]
                )
            old = {row.entity for row in rows} if shelf.completed >= 0 else set()
            for entities in _portions(connection, old):
                _prune(connection, shelf, entities, since)

    def get(self, shelf: Shelf, entities: Sequence[str]) -> Mapping[str, list[Row]]:
        """Return the rows of these entities."""
        found: dict[str, list[Row]] = {}
        query = select(*(features.c[name] for name in Row._fields))
        with self._asking() as connection:
            for some in _portions(connection, entities):
                for row in connection.execute(query.where(_of(shelf, features), some)):
                    found.setdefault(row.entity, []).append(Row(*row))
        return found

    def drop(self, shelf: Shelf) -> int:
        """Remove the view's other shelves up to the version of this one."""
        with self._asking() as connection:
            others = connection.scalars(
                select(shelves.c.name).where(
                    shelves.c.view == shelf.view,
                    shelves.c.name != shelf.name,
                    shelves.c.begun <= shelf.completed,
                )
            ).all()
            for name in others:
                for table, column in ((features, features.c.shelf), (shelves, shelves.c.name)):
                    ours = and_(table.c.view == shelf.view, column == name)
                    connection.execute(delete(table).where(ours))
        return len(others)

    def probe(self) -> str:
        """Ask whether it answers."""
        with self._asking() as connection:
            connection.execute(text("select 1"))
        return f"{self.place} answers"

    def _note(self, shelf: Shelf) -> None:
        with self._asking() as connection:
            ours = and_(shelves.c.view == shelf.view, shelves.c.name == shelf.name)
            there = connection.execute(select(shelves).where(ours).with_for_update()).mappings()
            noted = merged(shelf, Shelf(**row)) if (row := there.first()) else shelf
            dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
            insert = dialect.insert(shelves).values(asdict(noted))
            marks = {name: insert.excluded[name] for name in ("begun", "completed", "since")}
            connection.execute(
                insert.on_conflict_do_update(index_elements=["view", "name"], set_=marks)
            )

    @contextmanager
    def _asking(self) -> Iterator[Connection]:
        """One transaction; a database that does not answer is worth a retry."""
        try:
            with self.engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            if isinstance(error, OperationalError) or error.connection_invalidated:
                raise DependencyError(f"online: {self.place}: {_said(error)}") from None
            raise


def _alone(connection: Connection, what: str) -> None:
    """Let nobody else write this until the transaction ends."""
    number = crc32(f"trimtab-online:{what}".encode())
    connection.execute(select(func.pg_advisory_xact_lock(number)))


def _all_at_once(shelf: Shelf, rows: Sequence[Row]) -> Any:
    """Insert many rows by one statement with one array for each column."""
    kinds = [features.c[name].type for name in Row._fields]
    arrays = [
        func.unnest(cast(list(values), postgresql.ARRAY(kind)))
        for values, kind in zip(zip(*rows, strict=True), kinds, strict=True)
    ]
    source = select(literal(shelf.view), literal(shelf.name), *arrays)
    return _newer(postgresql.insert(features).from_select(["view", "shelf", *Row._fields], source))


def _newer(insert: Any) -> Any:
    """Of two rows of one moment the later version stays."""
    return insert.on_conflict_do_update(
        index_elements=[column.name for column in features.primary_key],
        set_={name: insert.excluded[name] for name in ("version", "values")},
        where=insert.excluded.version >= features.c.version,
    )


def _portions(connection: Connection, entities: Collection[str]) -> Iterator[Any]:
    """Yield conditions that together ask for all of these entities."""
    names = sorted(entities)
    if not names:
        return
    if connection.dialect.name == "postgresql":
        yield features.c.entity == any_(cast(names, postgresql.ARRAY(Text)))
        return
    for start in range(0, len(names), _PARAMETERS):
        yield features.c.entity.in_(names[start : start + _PARAMETERS])


def _prune(connection: Connection, shelf: Shelf, entities: Any, since: str) -> None:
    """Delete the rows of entities that have a newer one that is visible at ``since``."""
    newer = features.alias("newer")
    moment = tuple_(features.c.time, features.c.known)
    beaten = exists().where(
        _of(shelf, newer),
        newer.c.entity == features.c.entity,
        newer.c.time <= since,
        newer.c.known <= since,
        tuple_(newer.c.time, newer.c.known) > moment,
    )
    connection.execute(delete(features).where(_of(shelf, features), entities, beaten))


def _of(shelf: Shelf, table: Any) -> Any:
    return and_(table.c.view == shelf.view, table.c.shelf == shelf.name)


def _said(error: DBAPIError) -> str:
    return (str(error.orig).strip().splitlines() or [type(error).__name__])[0]


def _manual_begin(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
