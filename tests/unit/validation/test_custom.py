"""Expectations of one's own: a function of a column, a function of the table, a class of GX's."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from trimtab.adapters import gx
from trimtab.config import DatasetSpec
from trimtab.errors import TrimtabError
from trimtab.validation import contract, custom

Check = Callable[..., Any]
MODULE = '''
import narwhals as nw
import great_expectations.expectations as gxe

from trimtab.validation.custom import expectation


@expectation("expect_check_digit")
def check_digit(column: nw.Expr, *, modulus: int = 10) -> nw.Expr:
    """The last digit is the rest of the others."""
    return (column // 10) % modulus == column % 10


@expectation("expect_more_rows_than")
def more_rows(frame: nw.LazyFrame, *, rows: int) -> tuple[bool, int]:
    count = frame.select(nw.len().alias("n")).collect()["n"].item()
    return count > rows, count


@expectation("expect_trouble")
def trouble(column: nw.Expr) -> nw.Expr:
    return column.str.to_lowercase() == "a"


class ExpectColumnValuesToBeShort(gxe.ExpectColumnValueLengthsToBeBetween):
    max_value: int = 3
'''


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put a user's module on the path, and take it away again."""
    monkeypatch.setattr(custom, "_REGISTRY", {})
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / f"{custom.USER_MODULE}.py").write_text(MODULE)
    importlib.invalidate_caches()
    yield
    sys.modules.pop(custom.USER_MODULE, None)


def spec(*checks: dict[str, Any]) -> DatasetSpec:
    return DatasetSpec.model_validate(
        {
            "dataset": "shop",
            "owner": "me",
            "source": {"uri": "landing"},
            "key": ["id"],
            "columns": {"id": {"type": "int"}, "s": {"type": "text"}},
            "checks": list(checks),
        }
    )


FRAME = pl.DataFrame({"id": [11, 22, 34, 40], "s": ["a", "b", None, "long"]})
DIGIT = {"expect": "expect_check_digit", "column": "id", "severity": "quarantine"}


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_a_function_of_a_column_judges_rows(checked: Check, engine: str) -> None:
    asked = contract.expectations(spec(DIGIT))
    found = checked(FRAME, asked, engine=engine)
    assert (found.results[-1].success, found.results[-1].unexpected) == (False, 2)
    assert found.results[-1].observed == [34, 40]
    assert found.aside.rows() == [(3, len(asked) - 1), (4, len(asked) - 1)]


def test_mostly_and_arguments_are_its_own(checked: Check) -> None:
    lenient = {**DIGIT, "mostly": 0.5}
    other = {**DIGIT, "modulus": 4}
    found = checked(FRAME, contract.expectations(spec(lenient, other)))
    assert [item.success for item in found.results[-2:]] == [True, False]
    assert found.results[-1].unexpected == 1


def test_a_function_of_the_table_says_what_it_saw(checked: Check) -> None:
    asked = [{"expect": "expect_more_rows_than", "rows": n, "severity": "warn"} for n in (3, 4)]
    found = checked(FRAME, contract.expectations(spec(*asked)))
    assert [(item.success, item.observed) for item in found.results[-2:]] == [(True, 4), (False, 4)]


def test_a_class_of_great_expectations_runs_there(checked: Check) -> None:
    short = {"expect": "expect_column_values_to_be_short", "column": "s", "severity": "quarantine"}
    found = checked(FRAME, contract.expectations(spec(short)))
    assert (found.results[-1].success, found.results[-1].observed) == (False, ["long"])
    assert found.aside[found.aside.columns[0]].to_list() == [4]


def test_all_of_them_are_in_the_json_and_on_the_page(checked: Check) -> None:
    rows = {"expect": "expect_more_rows_than", "rows": 3}
    suite = checked(FRAME, contract.expectations(spec(DIGIT, rows))).suite
    types = [item["expectation_config"]["type"] for item in gx.to_json(suite)["results"]]
    assert types[-2:] == ["expect_check_digit", "expect_more_rows_than"]
    page = gx.render(suite)
    assert "expect_check_digit" in page or "Expect check digit" in page


def test_one_that_raises_has_failed_and_the_others_stand(checked: Check) -> None:
    trouble = {"expect": "expect_trouble", "column": "id"}
    found = checked(FRAME, contract.expectations(spec(trouble, DIGIT)))
    assert not found.results[-2].success
    assert found.results[-1].unexpected == 2
    assert sum(item.success for item in found.results) == len(found.results) - 3


def test_problems_know_names_arguments_and_severities() -> None:
    assert contract.problems(spec(DIGIT)) == []
    cases = [
        ({**DIGIT, "expect": "expect_check_digits"}, "neither"),
        ({**DIGIT, "modulo": 3}, "modulo"),
        ({**DIGIT, "column": "ids"}, "no column"),
        ({"expect": "expect_more_rows_than"}, "rows"),
        ({"expect": "expect_more_rows_than", "rows": 1, "severity": "quarantine"}, "no rows"),
    ]
    for check, told in cases:
        ((path, message, _),) = contract.problems(spec(check))
        assert path == ("checks", 0)
        assert told in message


def test_a_module_that_cannot_be_imported_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / f"{custom.USER_MODULE}.py").write_text("import nothing_of_this_name")
    sys.modules.pop(custom.USER_MODULE, None)
    ((path, message, _),) = contract.problems(spec())
    assert path == ("checks",)
    assert "nothing_of_this_name" in message


def test_a_name_that_is_taken_or_odd_is_refused() -> None:
    custom.load()
    with pytest.raises(TrimtabError, match="registered by"):
        custom.expectation("expect_check_digit")(lambda column: column)
    with pytest.raises(TrimtabError, match="must be column or frame"):
        custom.expectation("expect_other")(lambda values: values)
