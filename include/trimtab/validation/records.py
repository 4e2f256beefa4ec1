"""Expectations of several columns of a row, as one expression each: true where a row breaks it."""

import functools
import itertools
import operator
from collections.abc import Sequence

import narwhals as nw

from trimtab.validation.plan import NotCompiledError, RowsPlan, Table, hashed, total
from trimtab.validation.rows import all_differ, of_known_kind, true

_NUMBER = ("int", "float")


def compound_unique(
    table: Table, *, column_list: Sequence[str], ignore_row_if: str = "all_values_are_missing"
) -> RowsPlan:
    """No combination of values is there twice."""
    columns, ignored, missing = _domain(table, column_list, ignore_row_if)
    if len(columns) < 2:
        raise NotCompiledError("one column is no combination")
    repeated = (nw.len().over(*columns) > 1) & ~ignored
    needs = {missing: total(ignored)}
    floats = any(table.kind(column) == "float" for column in columns)  # 0.0 and -0.0 are equal
    if floats or ignore_row_if != "all_values_are_missing":
        return RowsPlan(repeated, columns, missing, needs, direct=False)
    known = functools.partial(all_differ, hashed(*columns), missing)
    return RowsPlan(repeated, columns, missing, needs, columns, known=known, direct=False)


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
    bad = ~ignored & ~true(added == sum_total)
    return RowsPlan(bad, columns, missing, {missing: total(ignored)})


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
    return RowsPlan(~ignored & ~true(good), columns, missing, {missing: total(ignored)})


def _domain(
    table: Table, columns: Sequence[str], ignore_row_if: str
) -> tuple[tuple[str, ...], nw.Expr, str]:
    """Return columns, the rows that are not spoken of, and the name of their count."""
    for column in columns:
        of_known_kind(table, column)
    nulls = [nw.col(column).is_null() for column in columns]
    rules = {
        "all_values_are_missing": lambda: functools.reduce(operator.and_, nulls),
        "any_value_is_missing": lambda: functools.reduce(operator.or_, nulls),
        "never": lambda: nulls[0] & ~nulls[0],
    }
    if ignore_row_if not in rules or not nulls:
        raise NotCompiledError(ignore_row_if)
    return tuple(columns), rules[ignore_row_if](), "|".join((ignore_row_if, *columns))


def _same(a: str, b: str) -> nw.Expr:
    left, right = nw.col(a), nw.col(b)
    return true(left == right) | (left.is_null() & right.is_null())
