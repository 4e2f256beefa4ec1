"""A SQL expression over the columns of one row: what it reads, and what it may not do."""

import functools
import json
import os
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from trimtab.config.dataset import ColumnType

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SQL_TYPES: dict[ColumnType, str] = {
    "int": "BIGINT",
    "float": "DOUBLE",
    "bool": "BOOLEAN",
    "text": "VARCHAR",
    "category": "VARCHAR",
    "time": "TIMESTAMPTZ",
}
_SAMPLES: dict[ColumnType, str] = {
    "int": "1::BIGINT",
    "float": "1.5::DOUBLE",
    "bool": "true",
    "text": "'a'",
    "category": "'a'",
    "time": "TIMESTAMPTZ '2024-02-29 12:30:00Z'",
}
_LOCK: Mapping[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoload_known_extensions": "false",
}
_HINT = ' (a column that is called like a word of SQL stands in quotes: "at")'
_ONE_ROW = "it may look at its own row only, as it is"
# What is no function of a row, by the class DuckDB's parser gives it.
_REFUSED = {
    "WINDOW": f"has a window function; {_ONE_ROW}",
    "SUBQUERY": f"has a query inside; {_ONE_ROW}",
    "STAR": "has a *; name the columns",
    "PARAMETER": "has a parameter; write the value",
    "POSITIONAL_REFERENCE": "names a column by position; use its name",
}


class ExpressionError(ValueError):
    """What is wrong with an expression, in words that follow its name."""


def locked(threads: int | None = None) -> "DuckDBPyConnection":
    """Open an empty database without files, network and extensions, in UTC, for good."""
    import duckdb

    connection = duckdb.connect(":memory:", config=dict(_LOCK))
    connection.execute("SET TimeZone = 'UTC'")
    if threads is not None:
        connection.execute(f"SET threads = {threads}")
    connection.execute("SET lock_configuration = true")
    return connection


def quoted(name: str) -> str:
    """Return a name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def reads(sql: str) -> tuple[str, ...]:
    """Return the names that an expression takes for columns, in order.

    Raises:
        ExpressionError: it is no single expression, or no function of one row.
    """
    names = dict.fromkeys(_names(_parsed(sql), frozenset()))
    return tuple(names)


def bind(sql: str, kind: ColumnType, columns: Mapping[str, ColumnType]) -> tuple[str, ...]:
    """Return the columns an expression reads, after binding it to a table of ``columns``.

    Raises:
        ExpressionError: it does not bind, does not give ``kind``, or is no function of one row.
    """
    named = reads(sql)
    if unknown := [name for name in named if name not in columns]:
        raise ExpressionError(f"reads {unknown[0]!r}, which is no column of the rows")
    if len({name.lower() for name in named}) < len(named):
        raise ExpressionError(f"reads {sorted(named)}, which SQL cannot tell apart")
    _bound(f"SELECT 0 FROM {_table(named, columns)} WHERE (({sql}\n) IS NULL)")  # noqa: S608
    _bound(f"SELECT CAST(({sql}\n) AS {SQL_TYPES[kind]}) FROM {_table(named, columns)}")  # noqa: S608
    return named


def bind_query(sql: str, table: str, columns: Mapping[str, ColumnType]) -> str:
    """Bind a query to a ``table`` of ``columns`` and return the type of its one column.

    Raises:
        ExpressionError: it does not bind, or gives another number of columns.
    """
    import duckdb

    fields = ", ".join(f"{quoted(n)} {SQL_TYPES[kind]}" for n, kind in columns.items())
    checker = _checker()
    try:
        checker.execute(f"CREATE OR REPLACE TEMP TABLE {quoted(table)} ({fields})")
        found = checker.execute(f"DESCRIBE {sql}").fetchall()
    except duckdb.Error as error:
        raise _not_working(error) from error
    finally:
        checker.execute(f"DROP TABLE IF EXISTS {quoted(table)}")
    if len(found) != 1:
        raise ExpressionError(f"gives {len(found)} columns, not one number")
    return str(found[0][1])


def _table(names: Collection[str], columns: Mapping[str, ColumnType]) -> str:
    """One row of the named columns, none of them null."""
    fields = [f"{_SAMPLES[columns[name]]} AS {quoted(name)}" for name in names]
    return f"(SELECT {', '.join(['0', *fields])})"


def _bound(query: str) -> None:
    """Bind and run a query on one made-up row; what only its values cannot do is no problem."""
    import duckdb

    try:
        _checker().execute(query)
    except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException) as error:
        raise _not_working(error) from error
    except duckdb.Error as error:
        if "Unimplemented type for cast" in str(error):
            raise _not_working(error) from error


def _not_working(error: Exception) -> ExpressionError:
    text = str(error).split("\n", 1)[0].strip()
    if "WHERE clause cannot contain" in text or "UNNEST not supported" in text:
        return ExpressionError(f"adds up rows or unfolds them; {_ONE_ROW}")
    return ExpressionError(f"does not work on its columns: {text}")


def _parsed(sql: str) -> Any:
    """The tree of the one expression of ``SELECT (sql) FROM t``."""
    query = f"SELECT ({sql}\n) FROM t"  # noqa: S608 only parsed; a comment ends with its line
    answer = json.loads(_checker().execute("SELECT json_serialize_sql(?)", [query]).fetchone()[0])  # type: ignore[index]
    if answer["error"]:
        raise ExpressionError(f"is no SQL expression: {answer['error_message']}{_HINT}")
    nodes = [statement["node"] for statement in answer["statements"]]
    if len(nodes) != 1 or len(nodes[0].get("select_list", ())) != 1 or _more(nodes[0]):
        raise ExpressionError("is more than one expression; keep one")
    return nodes[0]["select_list"][0]


def _more(node: Mapping[str, Any]) -> bool:
    extra = ("where_clause", "group_expressions", "having", "sample", "qualify", "modifiers")
    plain = node["from_table"].get("type") == "BASE_TABLE" and not node["cte_map"]["map"]
    return not plain or any(node.get(key) for key in extra)


def _names(tree: Any, inner: frozenset[str]) -> Iterator[str]:
    """Names of columns below a node; ``inner`` are the parameters of lambdas around it."""
    if isinstance(tree, list):
        for part in tree:
            yield from _names(part, inner)
    if not isinstance(tree, dict):
        return
    kind = tree.get("class")
    if kind in _REFUSED:
        raise ExpressionError(_REFUSED[kind])
    if kind == "FUNCTION":
        _refuse_volatile(tree)
    if kind == "LAMBDA":
        inner |= frozenset(_names(tree["lhs"], frozenset()))
    if kind == "COLUMN_REF":
        if tree["column_names"][0] not in inner:
            yield tree["column_names"][0]
        return
    for value in tree.values():
        yield from _names(value, inner)


def _refuse_volatile(node: Mapping[str, Any]) -> None:
    name, given = str(node["function_name"]).lower(), len(node.get("arguments", ()))
    if name in _volatile() or (name == "age" and given == 1):
        raise ExpressionError(f"calls {name}(), which does not depend on the row alone")


@functools.cache
def _volatile() -> Collection[str]:
    """Functions whose value is not that of their arguments, and macros that use one."""
    rows = _checker().execute(
        "SELECT function_name, stability, macro_definition FROM duckdb_functions()"
    )
    found = rows.fetchall()
    names = {name for name, stability, _ in found if stability and stability != "CONSISTENT"}
    words = [*names, "current_timestamp", "localtimestamp", "localtime", "select"]
    macros = {
        name
        for name, _, text in found
        if text and any(word in text.lower().replace("(", " ").split() for word in words)
    }
    return frozenset(names | macros)


def _checker() -> "DuckDBPyConnection":
    return _opened(os.getpid()).cursor()  # threads of one process may ask at the same time


@functools.cache
def _opened(pid: int) -> "DuckDBPyConnection":
    """The database expressions are parsed and bound in, without threads: processes are forked."""
    return locked(threads=1)
