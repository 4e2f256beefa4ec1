"""A contract's problems are named before anything runs."""

from typing import Any

import pytest

from trimtab.config import DatasetSpec
from trimtab.types import CheckResult
from trimtab.validation.contract import expectations, problems
from trimtab.validation.docs import write
from trimtab.validation.verdict import Verdict, decide


def spec(*checks: dict[str, Any], **columns: dict[str, Any]) -> DatasetSpec:
    return DatasetSpec.model_validate(
        {
            "dataset": "shop",
            "owner": "me",
            "source": {"uri": "landing"},
            "key": ["id"],
            "columns": {"id": {"type": "text"}, **columns},
            "checks": list(checks),
        }
    )


def test_row_count_and_not_null_are_always_asked_for() -> None:
    asked = [
        (item["type"], item["kwargs"])
        for item in expectations(spec(n={"type": "int", "nullable": True}))
    ]
    assert ("expect_table_row_count_to_be_between", {"min_value": 1}) in asked
    assert ("expect_column_values_to_not_be_null", {"column": "id"}) in asked
    assert ("expect_column_values_to_not_be_null", {"column": "n"}) not in asked
    assert ("expect_column_values_to_be_unique", {"column": "id"}) in asked


@pytest.mark.parametrize(
    ("check", "message", "fix"),
    [
        (
            {"expect": "expect_column_values_to_be_betwen", "column": "id"},
            "neither",
            "to_be_between",
        ),
        ({"expect": "expect_column_values_to_be_unique", "column": "idd"}, "no column", "id?"),
        (
            {"expect": "expect_column_values_to_be_unique", "column": "id", "x": 1},
            "extra",
            "arguments",
        ),
        (
            {"expect": "expect_table_row_count_to_equal", "value": 3, "severity": "quarantine"},
            "no rows to quarantine",
            "",
        ),
    ],
)
def test_a_check_that_cannot_work_is_a_problem(
    check: dict[str, Any], message: str, fix: str
) -> None:
    ((path, told, help_),) = problems(spec(check))
    assert path == ("checks", 0)
    assert message in told
    assert fix in help_


def test_a_pattern_that_cannot_work_is_a_problem() -> None:
    found = problems(spec(code={"type": "text", "pattern": "(?=a)"}))
    assert [path for path, _, _ in found] == [("columns", "code", "pattern")]


def test_a_sound_contract_has_no_problems() -> None:
    check = {
        "expect": "expect_column_values_to_be_unique",
        "column": "id",
        "severity": "quarantine",
    }
    assert problems(spec(check)) == []


def result(severity: Any, *, success: bool = False) -> CheckResult:
    return CheckResult(expectation="expect_x", column="c", severity=severity, success=success)


def verdict(*results: CheckResult, aside: int = 0, located: tuple[int, ...] = ()) -> Verdict:
    return decide(results, rows=10, aside=aside, located=located, bad_before=0, max_bad_rows=0.2)


def test_severity_decides() -> None:
    assert verdict(result("block", success=True)).sentence == "passed"
    assert verdict(result("block")).blocked == ("expect_x(c)",)
    assert verdict(result("warn")).sentence == "passed; warned by expect_x(c)"
    both = verdict(result("quarantine"), result("quarantine"), aside=2, located=(0, 1))
    assert (both.passed, both.aside) == (True, 2)
    assert both.sentence == "passed; 2 rows set aside"


def test_a_quarantine_check_without_rows_blocks() -> None:
    assert verdict(result("quarantine")).blocked == ("expect_x(c)",)
    one = verdict(result("quarantine"), result("quarantine"), aside=1, located=(0,))
    assert one.blocked == ("expect_x(c)",)


def test_too_many_rows_set_aside_refuse_the_file() -> None:
    found = verdict(result("quarantine"), aside=3, located=(0,))
    assert found.blocked == ("too_many_bad_rows: 3 of 10 rows are bad, 20.0% are allowed",)


def test_no_row_left_refuses_whatever_the_share() -> None:
    every = decide(
        (result("quarantine"),), rows=10, aside=10, located=(0,), bad_before=0, max_bad_rows=1.0
    )
    assert not every.passed


def test_a_page_that_cannot_be_rendered_does_not_stop_the_verdict(tmp_path: Any) -> None:
    page = write(None, Verdict(), tmp_path, dataset="shop", name="a.csv", sha256="f" * 64)
    assert page is None
