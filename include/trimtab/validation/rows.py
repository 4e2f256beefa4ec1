"""Expectations of every row, as one expression each: true where a row breaks it."""

import functools
import itertools
import operator
from collections.abc import Sequence
from typing import Any

import narwhals as nw

from trimtab.validation.pattern import portable
from trimtab.validation.plan import (
    ROWS,
    NotCompiledError,
    Numbers,
    RowsPlan,
    Table,
    distinct,
    high,
    low,
    null,
    total,
)

_NUMBER = ("int", "float")


def not_null(table: Table, *, column: str) -> RowsPlan:
    """No value is missing."""
    return _missing(table, column, nw.col(column).is_null(), lambda n: n.get(null(column)))


def be_null(table: Table, *, column: str) -> RowsPlan:
    """Every value is missing."""

    def known(numbers: Numbers) -> int | None:
        count = numbers.get(null(column))
        return None if count is None else numbers[ROWS] - count

    return _missing(table, column, ~nw.col(column).is_null(), known)


def between(
    table: Table,
    *,
    column: str,
    min_value: Any = None,
    max_value: Any = None,
    strict_min: bool = False,
    strict_max: bool = False,
) -> RowsPlan:
    """Values lie between two bounds."""
    least, most = table.moment(column, min_value), table.moment(column, max_value)
    ends = [end for end in (least, most) if end is not None]
    ordered = len(ends) < 2 or least <= most if _comparable(ends) else False
    if not ends or not ordered or not all(table.fits(column, end) for end in ends):
        raise NotCompiledError("bounds of another type than the column")
    inside = within(nw.col(column), least, most, strict_min=strict_min, strict_max=strict_max)

    def known(numbers: Numbers) -> int | None:
        if low(column) not in numbers or high(column) not in numbers:
            return None
        ends = numbers[low(column)], numbers[high(column)]
        if None in ends:
            return 0  # there are no values
        good = (_within(end, least, most, strict_min, strict_max) for end in ends)
        return 0 if all(good) else None

    return _values(table, column, inside, known)


def in_set(table: Table, *, column: str, value_set: Sequence[Any]) -> RowsPlan:
    """Values are among a closed list."""
    return _values(table, column, member(table, column, value_set))


def not_in_set(table: Table, *, column: str, value_set: Sequence[Any]) -> RowsPlan:
    """Values are not among a list."""
    return _values(table, column, ~member(table, column, value_set))


def match_regex(table: Table, *, column: str, regex: str) -> RowsPlan:
    """Some part of every text matches."""
    return _values(table, column, _matches(table, column, regex))


def not_match_regex(table: Table, *, column: str, regex: str) -> RowsPlan:
    """No part of any text matches."""
    return _values(table, column, ~_matches(table, column, regex))


def match_regex_list(
    table: Table, *, column: str, regex_list: Sequence[str], match_on: str = "any"
) -> RowsPlan:
    """Texts match any, or all, of several patterns."""
    if not regex_list or match_on not in ("any", "all"):
        raise NotCompiledError("no patterns")
    found = [_matches(table, column, regex) for regex in regex_list]
    combine = operator.or_ if match_on == "any" else operator.and_
    return _values(table, column, functools.reduce(combine, found))


def not_match_regex_list(table: Table, *, column: str, regex_list: Sequence[str]) -> RowsPlan:
    """Texts match none of several patterns."""
    plan = match_regex_list(table, column=column, regex_list=regex_list)
    matched = ~nw.col(column).is_null() & ~plan.bad
    return _map(column, matched)


def lengths(
    table: Table,
    *,
    column: str,
    min_value: int | None = None,
    max_value: int | None = None,
    strict_min: bool = False,
    strict_max: bool = False,
) -> RowsPlan:
    """Texts have between so many characters."""
    if table.kind(column) != "text" or (min_value is None and max_value is None):
        raise NotCompiledError("length of something else than text")
    length = nw.col(column).str.len_chars()
    inside = within(length, min_value, max_value, strict_min=strict_min, strict_max=strict_max)
    return _values(table, column, inside)


def length(table: Table, *, column: str, value: int) -> RowsPlan:
    """Texts have exactly so many characters."""
    return lengths(table, column=column, min_value=value, max_value=value)


def unique(table: Table, *, column: str) -> RowsPlan:
    """No value is there twice."""
    _known_kind(table, column)

    def known(numbers: Numbers) -> int | None:
        different, gone = numbers.get(distinct(column)), numbers.get(null(column))
        if different is None or gone is None:
            return None
        return 0 if different - bool(gone) == numbers[ROWS] - gone else None

    repeated = (nw.len().over(column) > 1) & ~nw.col(column).is_null()
    needs = {null(column): total(nw.col(column).is_null()), distinct(column): _different(column)}
    return RowsPlan(repeated, (column,), null(column), needs, known=known, direct=False)


def compound_unique(
    table: Table, *, column_list: Sequence[str], ignore_row_if: str = "all_values_are_missing"
) -> RowsPlan:
    """No combination of values is there twice."""
    columns, ignored, missing = _domain(table, column_list, ignore_row_if)
    if len(columns) < 2:
        raise NotCompiledError("one column is no combination")

    def known(numbers: Numbers) -> int | None:
        different, gone = numbers.get(distinct(*columns)), numbers.get(missing)
        if different is None or gone is None or ignore_row_if != "all_values_are_missing":
            return None
        return 0 if different - bool(gone) == numbers[ROWS] - gone else None

    repeated = (nw.len().over(*columns) > 1) & ~ignored
    needs = {missing: total(ignored)}
    return RowsPlan(repeated, columns, missing, needs, (columns,), known=known, direct=False)


def greater(
    table: Table,
    *,
    column_A: str,  # noqa: N803 (Great Expectations' name)
    column_B: str,  # noqa: N803
    or_equal: bool | None = None,
    ignore_row_if: str = "both_values_are_missing",
) -> RowsPlan:
    """The first column is greater than the second."""
    a, b = nw.col(column_A), nw.col(column_B)
    good = a >= b if or_equal else a > b
    return _pair(table, (column_A, column_B), good, ignore_row_if, ("int", "float", "time", "text"))


def equal(
    table: Table,
    *,
    column_A: str,  # noqa: N803
    column_B: str,  # noqa: N803
    ignore_row_if: str = "both_values_are_missing",
) -> RowsPlan:
    """Two columns hold the same."""
    good = nw.col(column_A) == nw.col(column_B)
    kinds = ("int", "float", "time", "text", "bool")
    return _pair(table, (column_A, column_B), good, ignore_row_if, kinds)


def different_within_row(
    table: Table, *, column_list: Sequence[str], ignore_row_if: str = "all_values_are_missing"
) -> RowsPlan:
    """The values of one row differ from each other."""
    columns, ignored, missing = _domain(table, column_list, ignore_row_if)
    if len({table.kind(c) for c in columns}) != 1:
        raise NotCompiledError("columns of several types")
    same = [_same(a, b) for a, b in itertools.combinations(columns, 2)]
    bad = ~ignored & functools.reduce(operator.or_, same)
    return RowsPlan(bad, columns, missing, {missing: total(ignored)})


def sum_equals(
    table: Table,
    *,
    column_list: Sequence[str],
    sum_total: float,
    ignore_row_if: str = "all_values_are_missing",
) -> RowsPlan:
    """The values of one row add up to a number."""
    columns, ignored, missing = _domain(table, column_list, ignore_row_if)
    if not all(table.kind(c) in _NUMBER and table.fits(c, sum_total) for c in columns):
        raise NotCompiledError("only numbers add up")
    added = functools.reduce(operator.add, (nw.col(c) for c in columns))
    bad = ~ignored & ~_true(added == sum_total)
    return RowsPlan(bad, columns, missing, {missing: total(ignored)})


def within(value: nw.Expr, least: Any, most: Any, *, strict_min: bool, strict_max: bool) -> nw.Expr:
    """Say that an expression lies between two bounds, either of which may be missing."""
    said: list[nw.Expr] = []
    if least is not None:
        said.append(value > least if strict_min else value >= least)
    if most is not None:
        said.append(value < most if strict_max else value <= most)
    return functools.reduce(operator.and_, said)


def member(table: Table, column: str, values: Sequence[Any] | None) -> nw.Expr:
    """Say that a column's value is one of a list."""
    if values is None:
        raise NotCompiledError("no list")
    if not (wanted := [value for value in values if value is not None]):
        raise NotCompiledError("an empty list")
    typed = [value for item in wanted for value in of_column(table, column, item)]
    return nw.col(column).is_in(typed) if typed else nw.col(column).is_null()


def of_column(table: Table, column: str, value: Any) -> list[Any]:
    """Return a value in the column's type; nothing when the column can never hold it."""
    value = table.moment(column, value)
    if not table.fits(column, value):
        raise NotCompiledError("a value of another type than the column")
    if table.kind(column) == "float":
        return [float(value)]
    if table.kind(column) == "int":
        return [int(value)] if value == int(value) else []
    return [value]


def _missing(table: Table, column: str, bad: nw.Expr, known: Any) -> RowsPlan:
    _known_kind(table, column)
    needs = {null(column): total(nw.col(column).is_null())}
    return RowsPlan(bad, (column,), None, needs, known=known, direct=False)


def _values(table: Table, column: str, good: nw.Expr, known: Any = lambda _: None) -> RowsPlan:
    _known_kind(table, column)
    return _map(column, ~nw.col(column).is_null() & ~_true(good), known)


def _map(column: str, bad: nw.Expr, known: Any = lambda _: None) -> RowsPlan:
    needs = {null(column): total(nw.col(column).is_null())}
    return RowsPlan(bad, (column,), null(column), needs, known=known)


def _pair(
    table: Table,
    columns: tuple[str, str],
    good: nw.Expr,
    ignore_row_if: str,
    kinds: Sequence[str],
) -> RowsPlan:
    a, b = (table.kind(column) for column in columns)
    if a not in kinds or b not in kinds or (a != b and {a, b} != set(_NUMBER)):
        raise NotCompiledError("columns of two types")
    names = {
        "both_values_are_missing": "all_values_are_missing",
        "either_value_is_missing": "any_value_is_missing",
        "neither": "never",
    }
    if ignore_row_if not in names:
        raise NotCompiledError(ignore_row_if)
    _, ignored, missing = _domain(table, columns, names[ignore_row_if])
    return RowsPlan(~ignored & ~_true(good), columns, missing, {missing: total(ignored)})


def _domain(
    table: Table, columns: Sequence[str], ignore_row_if: str
) -> tuple[tuple[str, ...], nw.Expr, str]:
    """Return columns, the rows that are not spoken of, and the name of their count."""
    for column in columns:
        _known_kind(table, column)
    nulls = [nw.col(column).is_null() for column in columns]
    rules = {
        "all_values_are_missing": lambda: functools.reduce(operator.and_, nulls),
        "any_value_is_missing": lambda: functools.reduce(operator.or_, nulls),
        "never": lambda: nulls[0] & ~nulls[0],
    }
    if ignore_row_if not in rules or not nulls:
        raise NotCompiledError(ignore_row_if)
    return tuple(columns), rules[ignore_row_if](), "|".join((ignore_row_if, *columns))


def _matches(table: Table, column: str, regex: str) -> nw.Expr:
    if table.kind(column) != "text" or not isinstance(regex, str):
        raise NotCompiledError("only text has patterns")
    return nw.col(column).str.contains(portable(regex))


def _same(a: str, b: str) -> nw.Expr:
    left, right = nw.col(a), nw.col(b)
    return _true(left == right) | (left.is_null() & right.is_null())


def _true(condition: nw.Expr) -> nw.Expr:
    """Read what cannot be compared as not true."""
    return nw.coalesce(condition, nw.lit(value=False))


def _different(column: str) -> nw.Expr:
    return nw.col(column).n_unique()


def _known_kind(table: Table, column: str) -> None:
    if table.kind(column) == "other":
        raise NotCompiledError(f"{column} has a type the contract does not know")


def _within(value: Any, least: Any, most: Any, strict_min: bool, strict_max: bool) -> bool:
    above = least is None or (value > least if strict_min else value >= least)
    below = most is None or (value < most if strict_max else value <= most)
    return bool(above and below)


def _comparable(ends: Sequence[Any]) -> bool:
    return len({str if isinstance(end, str) else isinstance(end, int | float) for end in ends}) <= 1
