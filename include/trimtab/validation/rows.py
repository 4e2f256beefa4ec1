"""Expectations of every row, as one expression each: true where a row breaks it."""

import functools
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
    hashed,
    high,
    low,
    null,
    total,
)


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
    of_known_kind(table, column)
    gone = {null(column): total(nw.col(column).is_null())}
    repeated = (nw.len().over(column) > 1) & ~nw.col(column).is_null()
    if table.kind(column) == "text":  # hashes take less memory than texts
        known = functools.partial(all_differ, hashed(column), null(column))
        return RowsPlan(
            repeated, (column,), null(column), gone, (column,), known=known, direct=False
        )
    known = functools.partial(all_differ, distinct(column), null(column))
    needs = {**gone, distinct(column): nw.col(column).n_unique()}
    return RowsPlan(repeated, (column,), null(column), needs, known=known, direct=False)


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
    of_known_kind(table, column)
    needs = {null(column): total(nw.col(column).is_null())}
    return RowsPlan(bad, (column,), None, needs, known=known, direct=False)


def _values(table: Table, column: str, good: nw.Expr, known: Any = lambda _: None) -> RowsPlan:
    of_known_kind(table, column)
    return _map(column, ~nw.col(column).is_null() & ~true(good), known)


def _map(column: str, bad: nw.Expr, known: Any = lambda _: None) -> RowsPlan:
    needs = {null(column): total(nw.col(column).is_null())}
    return RowsPlan(bad, (column,), null(column), needs, known=known)


def _matches(table: Table, column: str, regex: str) -> nw.Expr:
    if table.kind(column) != "text" or not isinstance(regex, str):
        raise NotCompiledError("only text has patterns")
    return nw.col(column).str.contains(portable(regex))


def true(condition: nw.Expr) -> nw.Expr:
    """Read what cannot be compared as not true."""
    return nw.coalesce(condition, nw.lit(value=False))


def all_differ(different: str, missing: str, numbers: Numbers) -> int | None:
    """Answer 0 when there are as many different values, or hashes of them, as values.

    Fewer hashes prove nothing: two values may share one.
    """
    if different not in numbers or missing not in numbers:
        return None
    gone = numbers[missing] or 0
    return 0 if numbers[different] - bool(gone) == numbers[ROWS] - gone else None


def of_known_kind(table: Table, column: str) -> None:
    """Refuse a column whose type the contract does not know."""
    if table.kind(column) == "other":
        raise NotCompiledError(f"{column} has a type the contract does not know")


def _within(value: Any, least: Any, most: Any, strict_min: bool, strict_max: bool) -> bool:
    above = least is None or (value > least if strict_min else value >= least)
    below = most is None or (value < most if strict_max else value <= most)
    return bool(above and below)


def _comparable(ends: Sequence[Any]) -> bool:
    return len({str if isinstance(end, str) else isinstance(end, int | float) for end in ends}) <= 1
