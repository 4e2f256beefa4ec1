"""Great Expectations through the adapter: odd frames and odd expectations never crash it."""

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from trimtab.adapters import gx
from trimtab.adapters.gx import Expectation
from trimtab.config import DatasetSpec
from trimtab.validation import contract

FRAME = pl.DataFrame(
    {
        "n": [1, 2, None, 40],
        "word": ["a", "b", "b", "c"],
        "at": [datetime(2013, 1, day, tzinfo=UTC) for day in (1, 2, 3, 4)],
    }
)


def expectation(kind: str, severity: Any = "block", **kwargs: Any) -> Expectation:
    return {"type": kind, "kwargs": kwargs, "severity": severity}


def test_results_come_in_the_order_asked_with_rows_of_quarantine_checks() -> None:
    checked = gx.check(
        FRAME,
        [
            expectation("expect_column_values_to_be_in_set", column="word", value_set=["a", "b"]),
            expectation("expect_table_row_count_to_be_between", min_value=1),
            expectation(
                "expect_column_values_to_be_between", "quarantine", column="n", max_value=9
            ),
            expectation("expect_column_values_to_not_be_null", "quarantine", column="n"),
            expectation(
                "expect_column_values_to_be_between", "quarantine", column="n", max_value=99
            ),
        ],
        name="shop",
    )
    assert [item.success for item in checked.results] == [False, True, False, False, True]
    assert [item.unexpected for item in checked.results] == [1, 0, 1, 1, 0]
    assert checked.results[0].observed == ["c"]
    assert checked.rows == {2: [3], 3: [2]}


@pytest.mark.parametrize(
    ("kind", "kwargs", "told"),
    [
        ("expect_nothing_at_all", {}, "not found"),
        ("expect_column_values_to_be_between", {"column": "n", "min_valu": 1}, "min_valu"),
        ("expect_column_values_to_be_between", {"min_value": 1}, "column"),
        ("expect_column_mean_to_be_between", {"column": "gone", "min_value": 1}, "gone"),
        ("expect_column_mean_to_be_between", {"column": "word", "min_value": 1}, ""),
        ("expect_column_values_to_match_regex", {"column": "word", "regex": "("}, ""),
    ],
)
def test_an_expectation_that_cannot_run_is_a_failed_check(
    kind: str, kwargs: dict[str, Any], told: str
) -> None:
    good = expectation("expect_table_row_count_to_equal", value=4)
    checked = gx.check(FRAME, [expectation(kind, **kwargs), good], name="shop")
    assert [item.success for item in checked.results] == [False, True]
    assert checked.results[0].observed
    assert told in str(checked.results[0].observed)


def test_a_suite_that_crashes_as_a_whole_is_run_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from great_expectations.datasource.fluent.interfaces import Batch

    def crash(*_: Any, **__: Any) -> None:
        raise TypeError("Object of type bool is not JSON serializable")

    monkeypatch.setattr(Batch, "_validate_expectation_suite", crash)
    good = expectation("expect_table_row_count_to_equal", value=4)
    bad = expectation("expect_table_row_count_to_equal", value=5)
    checked = gx.check(FRAME, [good, bad], name="shop")
    assert [item.success for item in checked.results] == [True, False]
    assert "Evaluated Expectations" in gx.render(checked.suite)


def test_quantile_results_are_plain_values() -> None:
    ranges = {"quantiles": [0.5], "value_ranges": [[0, 99]]}
    kind = "expect_column_quantile_values_to_be_between"
    checked = gx.check(FRAME, [expectation(kind, column="n", quantile_ranges=ranges)], name="shop")
    (result,) = checked.results
    assert result.success
    assert result.to_json()["observed"]["quantiles"] == [0.5]


def test_an_empty_frame_never_passes() -> None:
    spec = DatasetSpec.model_validate(
        {
            "dataset": "shop",
            "owner": "me",
            "source": {"uri": "landing"},
            "key": ["word"],
            "columns": {"n": {"type": "int", "min": 0}, "word": {"type": "text"}},
        }
    )
    frame = FRAME.select("n", "word").clear()
    checked = gx.check(frame, contract.expectations(spec), name="shop")
    assert not all(item.success for item in checked.results)
    others = [item for item in checked.results if "row_count" not in item.expectation]
    assert all(item.success for item in others)  # why the row count is always asked for


def test_a_time_bound_is_compared_as_a_time() -> None:
    spec = DatasetSpec.model_validate(
        {
            "dataset": "shop",
            "owner": "me",
            "source": {"uri": "landing"},
            "key": ["at"],
            "columns": {"at": {"type": "time"}},
            "checks": [
                {
                    "expect": "expect_column_values_to_be_between",
                    "column": "at",
                    "min_value": "2013-01-02T00:00:00Z",
                }
            ],
        }
    )
    checked = gx.check(FRAME.select("at"), contract.expectations(spec), name="shop")
    assert (checked.results[-1].success, checked.results[-1].unexpected) == (False, 1)
