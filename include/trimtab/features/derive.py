"""Columns computed from other columns of the same row, by SQL or by a registered function."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from trimtab.config import expression
from trimtab.config.view import Derived
from trimtab.dtypes import TYPES
from trimtab.errors import DataError
from trimtab.features import registry

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_INDEX = "_index"
_AGAIN = 200  # rows that are computed once more by themselves


@dataclass(frozen=True)
class Closure:
    """The derived columns that some columns need, in their order, and what those read."""

    columns: dict[str, Derived]
    reads: tuple[str, ...]  # columns that are not derived


def reads(derived: Derived, visible: Collection[str]) -> tuple[str, ...]:
    """Return the columns a derived column is computed from.

    ``visible`` are those that a function gets which does not say what it reads.
    """
    if derived.sql is not None:
        return expression.reads(derived.sql)
    named = registry.get(str(derived.function)).reads
    return tuple(visible) if named is None else named


def closure(
    wanted: Collection[str],
    derive: Mapping[str, Derived],
    visible: Collection[str],
    given: Collection[str] = (),
) -> Closure:
    """Return what must be computed and read to have the columns ``wanted``; not those ``given``.

    Raises:
        DataError: a derived column reads one that it may not see.
    """
    derive = {name: derived for name, derived in derive.items() if name not in given}
    allowed = {*visible, *derive, *given}
    made: dict[str, Derived] = {}
    own: dict[str, None] = {}
    for name in reversed(list(derive)):  # a derived column reads only those before it
        if name in wanted or name in own:
            made[name] = derive[name]
            named = reads(derive[name], visible)
            if hidden := sorted({*named} - allowed):
                raise DataError(
                    f"the derived column {name} reads {hidden}, not known at prediction time or "
                    "no column of the rows; run 'trimtab check'"
                )
            own |= dict.fromkeys(named)
    columns = dict(reversed(made.items()))
    return Closure(columns, tuple(name for name in own if name not in derive))


def add(
    rows: pl.DataFrame,
    derive: Mapping[str, Derived],
    visible: Collection[str],
    where: str,
) -> pl.DataFrame:
    """Add derived columns in their declared types; same rows, same order.

    Args:
        rows: every column that is read.
        derive: what to compute, in this order.
        visible: columns that a function gets which does not say what it reads.
        where: whose columns these are, for errors.

    Raises:
        DataError: a column cannot be computed, is of another type, or looks at other rows.
    """
    if not derive:
        return rows
    connection = expression.locked()
    try:
        for name, derived in derive.items():
            own = rows.select(*reads(derived, visible), pl.int_range(pl.len()).alias(_INDEX))
            rows = rows.with_columns(_checked(connection, own, name, derived, where))
    finally:
        connection.close()
    return rows


def _checked(
    connection: "DuckDBPyConnection", rows: pl.DataFrame, name: str, derived: Derived, where: str
) -> pl.Series:
    """Compute a column, and part of it again, last row first: each value is its row's own."""
    made = _made(connection, rows, name, derived, where)
    part = rows.gather_every(max(1, rows.height // _AGAIN)).head(_AGAIN).reverse()
    again = _made(connection, part, name, derived, where)
    if not again.equals(made.gather(part[_INDEX])):
        raise DataError(
            f"{where}: the derived column {name} gives other values for a part of the rows; "
            "it must depend on its own row only"
        )
    return made


def _made(
    connection: "DuckDBPyConnection", rows: pl.DataFrame, name: str, derived: Derived, where: str
) -> pl.Series:
    try:
        made = _queried(connection, rows, derived) if derived.sql else _called(rows, derived)
    except Exception as error:  # DuckDB, Polars and a user's function may raise anything
        text = str(error).split("\n", 1)[0]
        raise DataError(
            f"{where}: the derived column {name} cannot be computed as {derived.type}: {text}"
        ) from error
    if made.len() != rows.height:
        raise DataError(
            f"{where}: the derived column {name} has {made.len()} values for {rows.height} rows"
        )
    return (made.fill_nan(None) if derived.type == "float" else made).alias(name)


def _queried(connection: "DuckDBPyConnection", rows: pl.DataFrame, derived: Derived) -> pl.Series:
    connection.register("t", rows.to_arrow())
    kind = expression.SQL_TYPES[derived.type]
    found = connection.sql(
        f"SELECT {_INDEX}, CAST(({derived.sql}\n) AS {kind}) AS made FROM t"  # noqa: S608 locked
    )
    frame = pl.DataFrame(found.to_arrow_table())
    connection.unregister("t")
    if not frame[_INDEX].equals(rows[_INDEX]):  # DuckDB keeps the order unless it is told not to
        frame = rows.select(_INDEX).join(frame, on=_INDEX, how="left", maintain_order="left")
    return frame["made"].cast(TYPES[derived.type])


def _called(rows: pl.DataFrame, derived: Derived) -> pl.Series:
    import pandas as pd

    function = registry.get(str(derived.function))
    given = function.compute(rows.drop(_INDEX).to_pandas())
    if not isinstance(given, pd.Series):
        raise TypeError(f"{function.name} returned {type(given).__name__}, not a pandas Series")
    return pl.from_pandas(given.reset_index(drop=True), nan_to_null=True).cast(TYPES[derived.type])
