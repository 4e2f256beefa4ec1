"""One check of one file: statistics first, one pass, GX for the rest, rows of quarantine checks."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from trimtab.adapters import engines, gx
from trimtab.adapters.gx import Expectation
from trimtab.config import DatasetSpec
from trimtab.types import ROW
from trimtab.validation import aside, contract, onepass, statistics
from trimtab.validation.check import check

Check = Callable[..., Any]
FRAME = pl.DataFrame(
    {
        "n": [1, 2, None, 40],
        "word": ["a", "b", "b", "c"],
        "at": [datetime(2013, 1, day, tzinfo=UTC) for day in (1, 2, 3, 4)],
        "x": [0.5, None, float("nan"), 2.0],
    }
)


def expectation(kind: str, severity: Any = "block", **kwargs: Any) -> Expectation:
    return {"type": f"expect_{kind}", "kwargs": kwargs, "severity": severity}


ASIDE = [
    expectation("column_values_to_be_in_set", column="word", value_set=["a", "b"]),
    expectation("table_row_count_to_be_between", min_value=1),
    expectation("column_values_to_be_between", "quarantine", column="n", max_value=9),
    expectation("column_values_to_not_be_null", "quarantine", column="n"),
    expectation("column_values_to_be_between", "quarantine", column="n", max_value=99),
    expectation("column_values_to_be_unique", "quarantine", column="word"),
]


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_results_come_in_the_order_asked_with_the_rows_of_quarantine_checks(
    checked: Check, engine: str
) -> None:
    found = checked(FRAME, ASIDE, engine=engine)
    assert [item.success for item in found.results] == [False, True, False, False, True, False]
    assert [item.unexpected for item in found.results] == [1, 0, 1, 1, 0, 2]
    assert found.results[0].observed == ["c"]
    assert found.located == {2, 3, 5}
    # the third row broke two checks; the first of the contract is its reason
    assert found.aside.rows() == [(2, 5), (3, 3), (4, 2)]


def test_rows_are_left_out_in_order(tmp_path: Path) -> None:
    file = tmp_path / "rows.parquet"
    pl.DataFrame({ROW: range(1, 6), "x": [1.0, float("nan"), None, 4.0, 5.0]}).write_parquet(file)
    gone = pl.DataFrame({ROW: [4], aside.CHECK: [0]}, schema=aside.SCHEMA)
    left = aside.without(str(file), gone).collect()
    assert left[ROW].to_list() == [1, 2, 3, 5]
    assert left["x"].is_nan().to_list() == [False, True, None, False]  # bytes stay as they were


def test_great_expectations_runs_what_is_not_compiled_and_names_its_rows(checked: Check) -> None:
    found = checked(
        FRAME,
        [
            expectation("column_values_to_be_increasing", "quarantine", column="n"),
            expectation(
                "column_values_to_match_regex", "quarantine", column="word", regex="(?<!x)[ab]"
            ),
            expectation(
                "column_values_to_be_between", column="n", max_value=9,
                row_condition="n<5", condition_parser="pandas",
            ),
        ],
    )  # fmt: skip
    assert [item.success for item in found.results] == [True, False, True]
    assert found.aside.rows() == [(4, 1)]


def test_a_large_file_is_sampled_where_great_expectations_runs_and_says_so(checked: Check) -> None:
    frame = pl.DataFrame({"n": range(1000)})
    asked = [
        expectation("column_values_to_be_increasing", column="n"),
        expectation("column_value_z_scores_to_be_less_than", "quarantine", column="n",
                    threshold=1.7, double_sided=True),
        expectation("table_row_count_to_equal", value=1000),
    ]  # fmt: skip
    found = checked(frame, asked, max_rows=100)
    assert [item.sampled_rows for item in found.results] == [100, None, None]
    assert [item.success for item in found.results] == [True, False, True]
    # rows are named from all of them, never from the sample
    assert found.aside.height == found.results[1].unexpected == 18
    told = gx.to_json(found.suite)["results"]
    assert told[0]["result"]["sampled_rows"] == 100


@pytest.mark.parametrize(
    ("kind", "kwargs", "told"),
    [
        ("nothing_at_all", {}, "not found"),
        ("column_values_to_be_between", {"column": "n", "min_valu": 1}, "min_valu"),
        ("column_mean_to_be_between", {"column": "gone", "min_value": 1}, "gone"),
        ("column_mean_to_be_between", {"column": "word", "min_value": 1}, ""),
        ("column_values_to_match_regex", {"column": "word", "regex": "("}, ""),
        ("column_values_to_be_between", {"column": "n", "min_value": 9, "max_value": 1}, "greater"),
    ],
)
def test_an_expectation_that_cannot_run_is_a_failed_check(
    checked: Check, kind: str, kwargs: dict[str, Any], told: str
) -> None:
    good = expectation("table_row_count_to_equal", value=4)
    found = checked(FRAME, [expectation(kind, **kwargs), good])
    assert [item.success for item in found.results] == [False, True]
    assert found.results[0].observed
    assert told in str(found.results[0].observed)


def spec(*checks: dict[str, Any], **columns: dict[str, Any]) -> DatasetSpec:
    return DatasetSpec.model_validate(
        {
            "dataset": "shop",
            "owner": "me",
            "source": {"uri": "landing"},
            "key": ["word"],
            "columns": {"word": {"type": "text"}, **columns},
            "checks": list(checks),
        }
    )


def test_an_empty_frame_never_passes(checked: Check) -> None:
    asked = contract.expectations(spec(n={"type": "int", "min": 0}))
    found = checked(FRAME.select("word", "n").clear(), asked)
    assert not all(item.success for item in found.results)
    others = [item for item in found.results if "row_count" not in item.expectation]
    assert all(item.success for item in others)  # why the row count is always asked for


@pytest.mark.parametrize(
    "arguments", [{"min_value": "2013-01-02T00:00:00Z"}, {"min_value": "2013-01-02"}]
)
def test_a_time_bound_is_compared_as_a_time(checked: Check, arguments: dict[str, Any]) -> None:
    bound = {"expect": "expect_column_values_to_be_between", "column": "at", **arguments}
    asked = contract.expectations(spec(bound, at={"type": "time"}))
    found = checked(FRAME.select("word", "at"), asked)
    assert (found.results[-1].success, found.results[-1].unexpected) == (False, 1)


def test_different_values_are_estimated_where_the_contract_says_so(checked: Check) -> None:
    kind = "expect_column_unique_value_count_to_be_between"
    asked = contract.expectations(
        spec({"expect": kind, "column": "word", "min_value": 2, "exact": False})
    )
    assert asked[-1]["exact"] is False
    assert contract.problems(spec({"expect": kind, "column": "word", "exact": False})) == []
    for engine in ("polars", "duckdb"):
        found = checked(FRAME.select("word"), asked[-1:], engine=engine)
        assert found.results[0].success
        assert found.results[0].limit["exact"] is False
        assert gx.to_json(found.suite)["results"][0]["expectation_config"]["meta"]["exact"] is False


def test_the_footer_answers_without_data(tmp_path: Path) -> None:
    file = tmp_path / "rows.parquet"
    FRAME.write_parquet(file, row_group_size=2)
    kinds: Any = {"n": "int", "word": "text", "at": "time", "x": "float"}
    known = statistics.read(str(file), kinds)
    assert (known["rows"], known["null|n"], known["min|n"], known["max|n"]) == (4, 1, 1, 40)
    assert known["max|at"] == datetime(2013, 1, 4, tzinfo=UTC)
    assert "null|x" not in known  # NaN is missing, and no null
    assert "min|word" not in known  # a text's bound may be cut short


def test_what_the_footer_answers_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "rows.parquet"
    FRAME.write_parquet(file)

    def refuse(*_: Any) -> None:
        raise AssertionError("it was read")

    monkeypatch.setattr(onepass, "_one", refuse)
    asked = [
        expectation("table_row_count_to_equal", value=4),
        expectation("column_values_to_not_be_null", column="word"),
        expectation("column_max_to_be_between", column="n", max_value=40),
        expectation("column_values_to_be_between", column="n", min_value=1, max_value=40),
    ]
    found = check(str(file), asked, ["n", "word"], name="shop")
    assert [item.success for item in found.results] == [True] * 4


def test_spark_that_is_not_there_names_the_extra_and_java(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(Exception, match=r"trimtab\[spark\]"):
        engines.open_engine("spark")


def test_spark_without_java_says_so() -> None:
    pytest.importorskip("pyspark")
    code = "from trimtab.adapters.engines import open_engine; open_engine('spark')"
    environment = {"PATH": str(Path(sys.executable).parent), "JAVA_HOME": "/nowhere"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert "Java runtime" in done.stderr
