"""Expectations of a whole column or table, as aggregates under Great Expectations' metric names."""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import narwhals as nw

from trimtab.validation.plan import (
    ROWS,
    NotCompiledError,
    Numbers,
    SchemaPlan,
    Table,
    ValuePlan,
    distinct,
    high,
    low,
    null,
    sketch,
    total,
)
from trimtab.validation.rows import member, of_column

_NUMBER = ("int", "float")
_ORDERED = ("int", "float", "time", "text")
_SYNONYMS = {
    "int": ("int", "int64", "Int64", "integer", "INTEGER", "BIGINT", "LongType", "long"),
    "float": ("float", "float64", "Float64", "double", "DOUBLE", "DoubleType", "DOUBLE_PRECISION"),
    "text": ("string", "str", "String", "object", "object_", "VARCHAR", "TEXT", "StringType"),
    "bool": ("boolean", "bool", "bool_", "Boolean", "BOOLEAN", "BooleanType"),
    "time": ("datetime", "Timestamp", "datetime64", "Datetime", "TIMESTAMP", "TimestampType",
             "datetime64[us, UTC]", "TIMESTAMPTZ"),
}  # fmt: skip


def row_count(_table: Table, **_bounds: Any) -> ValuePlan:
    """How many rows there are."""
    return ValuePlan(lambda numbers: {"table.row_count": numbers[ROWS]})


def columns(table: Table, **_arguments: Any) -> ValuePlan:
    """What the columns are called, and how many there are."""
    names = list(table.kinds)
    metrics = {"table.columns": names, "table.column_count": len(names)}
    return ValuePlan(lambda _: dict(metrics))


def minimum(table: Table, *, column: str, **_bounds: Any) -> ValuePlan:
    """The smallest value."""
    _of_kind(table, column, _ORDERED)
    return _one("column.min", low(column), nw.col(column).min())


def maximum(table: Table, *, column: str, **_bounds: Any) -> ValuePlan:
    """The largest value."""
    _of_kind(table, column, _ORDERED)
    return _one("column.max", high(column), nw.col(column).max())


def mean(table: Table, *, column: str, **_bounds: Any) -> ValuePlan:
    """The mean."""
    _of_kind(table, column, _NUMBER)
    return _one("column.mean", f"mean|{column}", nw.col(column).mean())


def median(table: Table, *, column: str, **_bounds: Any) -> ValuePlan:
    """The median: of an even number, the mean of the two in the middle."""
    _of_kind(table, column, _NUMBER)
    return _one("column.median", f"median|{column}", nw.col(column).median())


def deviation(table: Table, *, column: str, **_bounds: Any) -> ValuePlan:
    """The standard deviation of a sample."""
    _of_kind(table, column, _NUMBER)
    return _one("column.standard_deviation", f"std|{column}", nw.col(column).std())


def added(table: Table, *, column: str, **_bounds: Any) -> ValuePlan:
    """The sum; of nothing, 0."""
    _of_kind(table, column, _NUMBER)
    name = f"sum|{column}"
    return ValuePlan(
        lambda numbers: {"column.sum": numbers[name] or 0}, {name: nw.col(column).sum()}
    )


def unique_count(table: Table, *, column: str, exact: bool = True, **_bounds: Any) -> ValuePlan:
    """How many different values there are; estimated unless ``exact``."""
    return _different(
        table, column, exact, lambda n, found: {"column.distinct_values.count": found}
    )


def unique_share(table: Table, *, column: str, exact: bool = True, **_bounds: Any) -> ValuePlan:
    """How many different values there are for one value; estimated unless ``exact``."""

    def share(numbers: Numbers, found: int) -> dict[str, Any]:
        there = numbers[ROWS] - numbers[null(column)]
        return {"column.unique_proportion": min(found / there, 1) if there else 0}

    return _different(table, column, exact, share)


def not_null_share(table: Table, *, column: str, **_bounds: Any) -> ValuePlan:
    """Which share of values is there."""
    _of_kind(table, column, tuple(_SYNONYMS))

    def metrics(numbers: Numbers) -> dict[str, Any]:
        rows = numbers[ROWS]
        return {"column.non_null_proportion": (rows - numbers[null(column)]) / rows if rows else 0}

    return ValuePlan(metrics, {null(column): total(nw.col(column).is_null())})


def quantiles(
    table: Table, *, column: str, quantile_ranges: dict[str, Any], allow_relative_error: Any = False
) -> ValuePlan:
    """Values at some ranks, without interpolation: the nearest rank there is."""
    _of_kind(table, column, _NUMBER)
    asked = quantile_ranges["quantiles"]
    if allow_relative_error not in (False, "nearest") or not asked:
        raise NotCompiledError("only the nearest rank")
    needs = {null(column): total(nw.col(column).is_null())}
    for q in asked:
        needs[f"lower|{q}|{column}"] = nw.col(column).quantile(q, "lower")
        needs[f"higher|{q}|{column}"] = nw.col(column).quantile(q, "higher")

    def metrics(numbers: Numbers) -> dict[str, Any]:
        there = numbers[ROWS] - numbers[null(column)]
        return {"column.quantile_values": [_nearest(numbers, column, q, there) for q in asked]}

    return ValuePlan(metrics, needs)


def values_in_set(table: Table, *, column: str, value_set: Sequence[Any]) -> ValuePlan:
    """Every different value is on the list."""
    return _set_plan(table, column, value_set, outside=True, missing=False)


def values_contain_set(table: Table, *, column: str, value_set: Sequence[Any]) -> ValuePlan:
    """Every value on the list is there."""
    return _set_plan(table, column, value_set, outside=False, missing=True)


def values_equal_set(table: Table, *, column: str, value_set: Sequence[Any]) -> ValuePlan:
    """The different values are the list."""
    return _set_plan(table, column, value_set, outside=True, missing=True)


def commonest(
    table: Table, *, column: str, value_set: Sequence[Any], ties_okay: bool | None = None
) -> ValuePlan:
    """The commonest value, or values, are on the list."""
    member(table, column, value_set)
    name = f"commonest|{column}"
    return ValuePlan(lambda n: {"column.most_common_value": n[name]}, counts=column)


def of_type(table: Table, *, column: str, type_: str) -> SchemaPlan:
    """The column's type goes by this name."""
    return in_type_list(table, column=column, type_list=[type_])


def in_type_list(table: Table, *, column: str, type_list: Sequence[str]) -> SchemaPlan:
    """The column's type goes by one of these names."""
    kind = table.kind(column)
    if kind == "other" or not type_list:
        raise NotCompiledError("a type the contract does not know")
    names = {*_SYNONYMS[kind], table.dtypes.get(column, "")}
    return SchemaPlan(any(name in names for name in type_list), _SYNONYMS[kind][1])


def _one(metric: str, name: str, expression: nw.Expr) -> ValuePlan:
    return ValuePlan(lambda numbers: {metric: numbers[name]}, {name: expression})


def _different(
    table: Table, column: str, exact: bool, say: Callable[[Numbers, int], dict[str, Any]]
) -> ValuePlan:
    _of_kind(table, column, tuple(_SYNONYMS))
    needs = {null(column): total(nw.col(column).is_null())}
    if not exact:
        return ValuePlan(lambda n: say(n, n[sketch(column)]), needs, sketches=(column,))
    name = distinct(column)

    def metrics(numbers: Numbers) -> dict[str, Any]:
        return say(numbers, numbers[name] - bool(numbers[null(column)]))

    return ValuePlan(metrics, {**needs, name: nw.col(column).n_unique()})


def _set_plan(
    table: Table, column: str, value_set: Sequence[Any], *, outside: bool, missing: bool
) -> ValuePlan:
    inside = member(table, column, value_set)
    wanted = list(dict.fromkeys(table.moment(column, v) for v in value_set if v is not None))
    strange = ~nw.col(column).is_null() & ~inside
    known = [f"there|{i}|{column}|{value!r}" for i, value in enumerate(wanted)]
    needs, values = {}, {}
    if missing:
        found = (_there(table, column, value) for value in wanted)
        needs = dict(zip(known, found, strict=True))
    key = f"strange|{column}|{wanted!r}"
    if outside:
        needs[key] = total(strange)
        values = {key: (column, strange)}
    return ValuePlan(
        functools.partial(_set_metrics, wanted, known if missing else [], key), needs, values=values
    )


def _set_metrics(wanted: list[Any], known: list[str], key: str, numbers: Numbers) -> dict[str, Any]:
    gone = [value for value, name in zip(wanted, known, strict=False) if not numbers[name]]
    strange = numbers.get(f"values|{key}", [])
    return {
        "column.distinct_values.not_in_set": strange[:20],
        "column.distinct_values.not_in_set.count": len(strange),
        "column.distinct_values.missing_from_column": gone[:20],
        "column.distinct_values.missing_from_column.count": len(gone),
    }


def _there(table: Table, column: str, value: Any) -> nw.Expr:
    typed = of_column(table, column, value)
    return total(nw.col(column) == typed[0]) if typed else nw.lit(0)


def _nearest(numbers: Numbers, column: str, q: float, there: int) -> Any:
    """Choose like NumPy: the nearest rank, the even one when two are as near."""
    if not there:
        return None
    rank = q * (there - 1)
    side = "lower" if round(rank) == math.floor(rank) else "higher"
    return numbers[f"{side}|{q}|{column}"]


def _of_kind(table: Table, column: str, kinds: Sequence[str]) -> None:
    if table.kind(column) not in kinds:
        raise NotCompiledError(f"{column} is {table.kind(column)}")
