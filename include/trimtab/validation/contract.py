"""The contract in Great Expectations' words, and what is wrong with a contract before it runs."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

import polars as pl

from trimtab.adapters import gx
from trimtab.adapters.gx import Expectation
from trimtab.config import DatasetSpec
from trimtab.config.dataset import Check, Column
from trimtab.config.findings import Finding
from trimtab.errors import TrimtabError
from trimtab.validation import custom

_BOUNDS = ("min_value", "max_value")
# `exact: false` in a check of these lets a sketch count; nothing else can be estimated.
SKETCHABLE = (
    "expect_column_unique_value_count_to_be_between",
    "expect_column_proportion_of_unique_values_to_be_between",
)


def expectations(spec: DatasetSpec) -> list[Expectation]:
    """Return the contract's own expectations, then the file's checks.

    Row count and not-null are always among them: GX's per-row expectations hold on an empty frame.
    """
    columns = [
        expectation
        for name, column in spec.columns.items()
        for expectation in _column(name, column)
    ]
    return [*_table(spec), *columns, _key(spec), *(_check(check, spec) for check in spec.checks)]


def problems(spec: DatasetSpec) -> list[Finding]:
    """Return what only the libraries can tell: names, arguments and patterns that do not work."""
    return [*_column_problems(spec), *_check_problems(spec)]


def _table(spec: DatasetSpec) -> Iterator[Expectation]:
    yield _must("expect_table_row_count_to_be_between", min_value=1)
    yield _must("expect_table_columns_to_match_ordered_list", column_list=list(spec.columns))


def _column(name: str, column: Column) -> Iterator[Expectation]:
    if not column.nullable:
        yield _must("expect_column_values_to_not_be_null", column=name)
    if column.min is not None or column.max is not None:
        bounds = {"min_value": column.min, "max_value": column.max}
        yield _must("expect_column_values_to_be_between", column=name, **bounds)
    if column.values is not None:
        values = list(column.values)
        yield _must("expect_column_values_to_be_in_set", column=name, value_set=values)
    if column.pattern is not None:
        regex = rf"\A(?:{column.pattern})\Z"
        yield _must("expect_column_values_to_match_regex", column=name, regex=regex)


def _key(spec: DatasetSpec) -> Expectation:
    if len(spec.key) == 1:
        return _must("expect_column_values_to_be_unique", column=spec.key[0])
    return _must("expect_compound_columns_to_be_unique", column_list=list(spec.key))


def _must(kind: str, **kwargs: Any) -> Expectation:
    return {"type": kind, "kwargs": kwargs, "severity": "block"}


def _check(check: Check, spec: DatasetSpec) -> Expectation:
    kwargs = check.arguments
    column = spec.columns.get(str(kwargs.get("column")))
    if column is not None and column.type == "time":
        # GX cuts text down to a date, which does not compare with a time
        kwargs.update({name: _moment(kwargs[name]) for name in _BOUNDS if name in kwargs})
        if isinstance(values := kwargs.get("value_set"), list):
            kwargs["value_set"] = [_moment(value) for value in values]
    expectation: Expectation = {
        "type": check.expect,
        "kwargs": kwargs,
        "severity": check.severity,
    }
    if check.expect in SKETCHABLE and "exact" in kwargs:
        expectation["exact"] = bool(kwargs.pop("exact"))
    return expectation


def _moment(value: Any) -> Any:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return value
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _column_problems(spec: DatasetSpec) -> Iterator[Finding]:
    for name, column in spec.columns.items():
        if column.pattern is not None and (message := _pattern_problem(column.pattern)):
            yield ("columns", name, "pattern"), message, "avoid look-around"


def _check_problems(spec: DatasetSpec) -> Iterator[Finding]:
    try:
        custom.load()
    except TrimtabError as error:
        yield ("checks",), str(error), f"correct {custom.USER_MODULE}"
    for i, check in enumerate(spec.checks):
        path = ("checks", i)
        named = check.arguments.get("column")
        if named is not None and named not in spec.columns:
            fix = f"{_nearest(str(named), list(spec.columns))}name a column of the contract"
            yield path, f"{check.expect}: there is no column {named!r}", fix
        elif check.expect not in (known := gx.names()):
            fix = (
                f"{_nearest(check.expect, known)}see the gallery of expectations, "
                f"or register your own in {custom.USER_MODULE}"
            )
            yield path, f"neither Great Expectations nor you have a {check.expect}", fix
        elif message := gx.problem(_check(check, spec)):
            yield path, f"{check.expect}: {message}", "correct the check's arguments"


def _pattern_problem(pattern: str) -> str | None:
    """A pattern runs in two dialects: Rust's when rows are cast, Python's in the suite."""
    try:
        re.compile(pattern)
        pl.Series([""]).str.contains(pattern)
    except (re.error, pl.exceptions.PolarsError) as error:
        return f"{pattern!r} is no usable regular expression: {error}"
    return None


def _nearest(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}? Else " if close else ""
