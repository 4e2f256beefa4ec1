"""Rows of a query as a Parquet file: streamed, in bounded memory, every value kept exactly."""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import URL, Engine, NullPool, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError

from trimtab.adapters.connections import Connection
from trimtab.errors import DependencyError, TrimtabError

_BATCH = 20_000  # rows
_DRIVERS = {"postgres": "postgresql+psycopg2", "postgresql": "postgresql+psycopg2"}
_PLAIN = (int, float, str, bool, date, datetime, time, Decimal, bytes)


class QueryError(TrimtabError):
    """A query the database refuses; a retry asks the same."""


def open_engine(*, url: str | None = None, connection: Connection | None = None) -> Engine:
    """Open a database by a connection or an SQLAlchemy URL; connects when it is asked."""
    try:
        address = _url(connection) if connection else make_url(str(url))
        patience = {"connect_timeout": 10} if address.get_backend_name() == "postgresql" else {}
        return create_engine(
            address, poolclass=NullPool, hide_parameters=True, connect_args=patience
        )
    except (ArgumentError, ImportError) as error:
        where = connection.name if connection else url
        raise QueryError(f"{where} is no database SQLAlchemy knows: {error}") from None


def value(engine: Engine, statement: str, parameters: Mapping[str, Any]) -> Any:
    """Return the first value of the first row."""
    with _asking(engine), engine.connect() as connection:
        return connection.execute(text(statement), parameters).scalar()


def write_parquet(
    engine: Engine, statement: str, parameters: Mapping[str, Any], into: Path
) -> None:
    """Write the rows of a query, in its order, as Parquet: the same rows give the same bytes.

    A type is chosen when every row has been seen, since a driver does not tell it before: whole
    numbers of 64 bits, decimals with the scale they have, times in UTC. What fits no such type
    (numbers past 64 bits, NaN among decimals, JSON, a mixture) travels as its text.
    """
    with tempfile.TemporaryDirectory(dir=into.parent) as folder:
        parts: list[tuple[Path, pa.Schema]] = []
        for table in _batches(engine, statement, parameters):
            part = Path(folder) / f"{len(parts)}.parquet"
            pq.write_table(table, part)
            parts.append((part, table.schema))
        schema = _common([schema for _, schema in parts])
        with pq.ParquetWriter(into, schema) as writer:
            for part, _ in parts:
                writer.write_table(_as(pq.read_table(part), schema))


def quoted(engine: Engine, name: str) -> str:
    """Write a column's name as this database wants it."""
    return str(engine.dialect.identifier_preparer.quote(name))


@contextmanager
def _asking(engine: Engine) -> Iterator[None]:
    """Say in our words what a database answered, without address, SQL or values."""
    place = f"{engine.url.get_backend_name()} at {engine.url.host or engine.url.database}"
    try:
        yield
    except OperationalError as error:
        raise DependencyError(f"{place} does not answer: {_hidden(engine, error)}") from None
    except DBAPIError as error:
        raise QueryError(f"{place} refuses the query: {_hidden(engine, error)}") from None
    except SQLAlchemyError as error:
        raise QueryError(f"{place}: {type(error).__name__}") from None


def _hidden(engine: Engine, error: DBAPIError) -> str:
    message = str(error.orig).strip()
    password = engine.url.password
    return message.replace(str(password), "***") if password else message


def _url(connection: Connection) -> URL:
    sqlite = connection.kind == "sqlite"
    return URL.create(
        _DRIVERS.get(connection.kind, connection.kind),
        username=connection.login,
        password=connection.password,
        host=None if sqlite else connection.host,
        port=connection.port,
        database=connection.schema or (connection.host if sqlite else None),
        query={k: v for k, v in connection.extra.items() if isinstance(v, str)},
    )


def _batches(engine: Engine, statement: str, parameters: Mapping[str, Any]) -> Iterator[pa.Table]:
    with _asking(engine), engine.connect() as connection:
        streamed = connection.execution_options(stream_results=True, yield_per=_BATCH)
        result = streamed.execute(text(statement), parameters)
        names = list(result.keys())
        empty = True
        for rows in result.partitions():
            empty = False
            yield _table(names, rows)
        if empty:
            yield _table(names, [])


def _table(names: Sequence[str], rows: Sequence[Any]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else ([] for _ in names)
    return pa.Table.from_arrays([_array(column) for column in columns], names=list(names))


def _array(values: Sequence[Any]) -> pa.Array:
    plain = [_plain(value) for value in values]
    kinds = {type(value) for value in plain if value is not None}
    if len(kinds) <= 1:
        try:
            array = pa.array(plain)
        except (pa.ArrowException, OverflowError):
            pass
        else:
            if not pa.types.is_decimal256(array.type):
                return array
    return pa.array([_text(value) for value in plain], pa.string())


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value
    if isinstance(value, memoryview | bytearray):
        return bytes(value)
    return value if value is None or isinstance(value, _PLAIN) else _text(value)


def _text(value: Any) -> str | None:
    match value:
        case None | str():
            return value
        case dict() | list():
            return json.dumps(value, sort_keys=True, default=str)
        case datetime():
            return value.isoformat()
        case bytes():
            return value.hex()
    return str(value)


def _common(schemas: Sequence[pa.Schema]) -> pa.Schema:
    names = schemas[0].names
    return pa.schema(
        [
            (name, _type({schema.field(i).type for schema in schemas}))
            for i, name in enumerate(names)
        ]
    )


def _type(seen: set[pa.DataType]) -> pa.DataType:
    kinds = seen - {pa.null()}
    if len(kinds) == 1:
        return next(iter(kinds))
    if kinds and all(pa.types.is_decimal128(kind) for kind in kinds):
        scale = max(kind.scale for kind in kinds)
        digits = scale + max(kind.precision - kind.scale for kind in kinds)
        return pa.decimal128(digits, scale) if digits <= 38 else pa.string()
    return pa.string()


def _as(table: pa.Table, schema: pa.Schema) -> pa.Table:
    arrays = [
        column.cast(field.type)
        if not pa.types.is_string(field.type) or pa.types.is_null(column.type)
        else pa.array([_text(value) for value in column.to_pylist()], pa.string())
        if column.type != field.type
        else column
        for column, field in zip(table.columns, schema, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)
