"""Great Expectations through the adapter: odd expectations and odd processes never crash it."""

import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from trimtab.adapters import gx, gx_engine
from trimtab.adapters.gx import Expectation

FRAME = pl.DataFrame(
    {
        "n": [1, 2, None, 40],
        "word": ["a", "b", "b", "c"],
        "at": [datetime(2013, 1, day, tzinfo=UTC) for day in (1, 2, 3, 4)],
    }
)


def expectation(kind: str, **kwargs: Any) -> Expectation:
    return {"type": kind, "kwargs": kwargs, "severity": "block"}


def run(*asked: Expectation) -> list[Any]:
    built = {i: gx.build(i, item) for i, item in enumerate(asked)}
    found = gx_engine.run(FRAME, built, name="shop")
    return [gx.result(item, found[i]) for i, item in enumerate(asked)]


@pytest.mark.parametrize(
    ("kind", "kwargs", "told"),
    [
        ("expect_nothing_at_all", {}, "not found"),
        ("expect_column_values_to_be_between", {"column": "n", "min_valu": 1}, "min_valu"),
        ("expect_column_values_to_be_between", {"min_value": 1}, "column"),
    ],
)
def test_what_cannot_be_built_says_why(kind: str, kwargs: dict[str, Any], told: str) -> None:
    assert told in gx.build(0, expectation(kind, **kwargs))
    assert told in str(gx.problem(expectation(kind, **kwargs)))


def test_a_suite_that_crashes_as_a_whole_is_run_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from great_expectations.datasource.fluent.interfaces import Batch

    def crash(*_: Any, **__: Any) -> None:
        raise TypeError("Object of type bool is not JSON serializable")

    monkeypatch.setattr(Batch, "_validate_expectation_suite", crash)
    kind = "expect_table_row_count_to_equal"
    found = run(expectation(kind, value=4), expectation(kind, value=5))
    assert [item.success for item in found] == [True, False]


def test_an_expectation_that_raises_is_a_failed_check() -> None:
    good = expectation("expect_table_row_count_to_equal", value=4)
    bad = expectation("expect_column_mean_to_be_between", column="gone", min_value=1)
    found = run(bad, good)
    assert [item.success for item in found] == [False, True]
    assert "gone" in found[0].observed


def test_importing_great_expectations_does_not_end_the_process() -> None:
    # with PySpark installed it does, in every process whose main module has no file
    code = "from trimtab.adapters import gx; print(len(gx.names()) > 40)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
