"""What one expectation asks of the data, before anybody has looked at a row."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import narwhals as nw

Kind = Literal["int", "float", "text", "bool", "time", "other"]
Numbers = Mapping[str, Any]  # what was counted, by the name of the count
ROWS = "rows"


@dataclass(frozen=True)
class Table:
    """The columns of a table and what they hold, from its schema."""

    kinds: Mapping[str, Kind]
    dtypes: Mapping[str, str] = field(default_factory=dict)

    def kind(self, column: str) -> Kind:
        """Return what a column holds.

        Raises:
            NotCompiledError: there is no such column; Great Expectations words that itself.
        """
        if column not in self.kinds:
            raise NotCompiledError(f"there is no column {column!r}")
        return self.kinds[column]

    def moment(self, column: str, value: Any) -> Any:
        """Read text as a time, in UTC unless it says otherwise, when the column holds times."""
        if not isinstance(value, str) or self.kind(column) != "time":
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError as error:
            raise NotCompiledError(f"{value!r} is no time") from error
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def fits(self, column: str, value: Any) -> bool:
        """Whether a value may be compared with a column without a change of type."""
        kind = self.kind(column)
        if isinstance(value, bool):
            return kind == "bool"
        if isinstance(value, int):
            return kind in ("int", "float") and abs(value) < 2**53
        if isinstance(value, float):
            return kind in ("int", "float") and value == value
        if isinstance(value, datetime):
            return kind == "time" and value.tzinfo is not None
        return isinstance(value, str) and kind == "text"


class NotCompiledError(Exception):
    """This expectation cannot be said in expressions; Great Expectations runs it on the rows."""


@dataclass(frozen=True)
class RowsPlan:
    """An expectation of every row.

    ``bad`` is true for the rows that break it and never null. ``missing`` names the count of rows
    it does not speak of. ``known`` answers from counts that are there already; a plan that is not
    ``direct`` compares rows with each other and takes a query of its own when that fails.
    """

    bad: nw.Expr
    show: tuple[str, ...]
    missing: str | None = None
    needs: Mapping[str, nw.Expr] = field(default_factory=dict)
    distinct: tuple[tuple[str, ...], ...] = ()
    known: Callable[[Numbers], int | None] = lambda _: None
    direct: bool = True


@dataclass(frozen=True)
class ValuePlan:
    """An expectation of a whole column or table: metrics under Great Expectations' names."""

    metrics: Callable[[Numbers], dict[str, Any]]
    needs: Mapping[str, nw.Expr] = field(default_factory=dict)
    sketches: tuple[str, ...] = ()
    values: Mapping[str, tuple[str, nw.Expr]] = field(default_factory=dict)
    counts: str | None = None  # the column whose commonest values are wanted


@dataclass(frozen=True)
class SchemaPlan:
    """An expectation that the schema alone answers."""

    success: bool
    observed: Any


Plan = RowsPlan | ValuePlan | SchemaPlan


def null(column: str) -> str:
    """Name the count of a column's missing values."""
    return f"null|{column}"


def low(column: str) -> str:
    """Name a column's smallest value."""
    return f"min|{column}"


def high(column: str) -> str:
    """Name a column's largest value."""
    return f"max|{column}"


def distinct(*columns: str) -> str:
    """Name the number of different values, missing ones counted as one."""
    return "|".join(("distinct", *columns))


def sketch(column: str) -> str:
    """Name the estimated number of different values."""
    return f"sketch|{column}"


def total(condition: nw.Expr) -> nw.Expr:
    """Count the rows where a condition holds (Spark does not add up booleans)."""
    return condition.cast(nw.Int64).sum()
