"""Labels: what counts as positive, what stays unknown, and when it can be known."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from trimtab.config.dataset import Column
from trimtab.config.model import Target, Task
from trimtab.errors import DataError
from trimtab.features import target
from trimtab.types import TARGET

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rule", "kind", "task", "values", "expected"),
    [
        ({"at_least": 15}, "float", "binary", [14.9, 15.0, None], [0, 1, None]),
        ({"positive": "Yes"}, "category", "binary", ["Yes", "No", None], [1, 0, None]),
        ({"positive": False}, "bool", "binary", [True, False, None], [0, 1, None]),
        ({"positive": 2}, "int", "binary", [1, 2, None], [0, 1, None]),
        ({}, "bool", "binary", [True, False, None], [1, 0, None]),
        ({}, "float", "regression", [1.5, float("nan"), None], [1.5, None, None]),
        ({}, "int", "multiclass", [3, 4, None], ["3", "4", None]),
    ],
)
def test_label(rule: Any, kind: Any, task: Task, values: list[Any], expected: list[Any]) -> None:
    spec = Target(column="y", **rule)
    rows = pl.DataFrame({"y": values}).with_columns(target.label(spec, task, Column(type=kind)))
    assert target.checked(rows, spec, task)[TARGET].to_list() == expected


def test_a_binary_target_of_other_numbers_is_refused() -> None:
    spec = Target(column="y")
    rows = pl.DataFrame({"y": [0, 1, 2]})
    rows = rows.with_columns(target.label(spec, "binary", Column(type="int")))
    with pytest.raises(DataError, match=r"target y of a binary model holds \[2"):
        target.checked(rows, spec, "binary")


def test_a_label_is_known_after_its_delay() -> None:
    rows = pl.DataFrame({"at": [START, START + timedelta(hours=1)]})
    spec = Target(column="y", delay="1d")
    known = target.known(spec, "at", START + timedelta(days=1))
    assert rows.filter(known)["at"].to_list() == [START]
    assert rows.filter(target.known(spec, None, None)).height == 2
