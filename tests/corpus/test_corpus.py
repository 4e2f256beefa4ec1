"""Every numbered case gets its verdict, in every format it makes sense in, from a user not root."""

import contextlib
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.corpus import files, parquets, text, values
from tests.corpus.case import CASES, Expected
from tests.corpus.numbers import NUMBERS
from tests.corpus.run import run

from trimtab.data.reasons import AcceptReason, FileReason, RowReason

__all__ = ["files", "parquets", "text", "values"]
ROOT = Path(__file__).parent.parent.parent
RUNS = [(number, form) for number in NUMBERS if number in CASES for form in CASES[number].forms]
Told = dict[tuple[str, str], dict[str, Any]]


@pytest.fixture(scope="session")
def told() -> Told:
    """What was said about every case and form."""
    return {(line["case"], line["form"]): line for line in run()}


def test_the_list_is_whole() -> None:
    assert len(NUMBERS) == 112
    assert sorted(CASES) == sorted(NUMBERS)


@pytest.mark.parametrize(("number", "form"), RUNS)
def test_case(told: Told, number: str, form: str) -> None:
    line = told[number, form]
    assert "error" not in line, line["error"]
    assert _verdict(line) == CASES[number].expected, line["detail"]
    assert not line.get("wrong_values")


@pytest.mark.parametrize(("number", "form"), RUNS)
def test_verdict_is_on_the_closed_list_and_no_row_is_lost(
    told: Told, number: str, form: str
) -> None:
    line = told[number, form]
    allowed = FileReason if line["verdict"] == "rejected" else AcceptReason
    assert line["reason"] in [*allowed]
    extra = {line["reason"]}  # good rows of a refused file are counted under its reason
    assert set(line["quarantined"]) <= {*RowReason} | extra
    assert line["rows_accepted"] + sum(line["quarantined"].values()) == line["rows_read"]


def test_refusals_say_what_to_do(told: Told) -> None:
    silent = [key for key, line in told.items() if line["verdict"] == "rejected"]
    assert [key for key in silent if len(told[key]["detail"]) < 10] == []


def test_all_cases(told: Told, record_property: Any) -> None:
    """Print how many of the 112 hold in all their formats."""
    failed = {n for n, f in RUNS if _verdict(told[n, f]) != CASES[n].expected}
    summary = f"{len(NUMBERS) - len(failed)} of {len(NUMBERS)} cases, {len(RUNS)} files"
    record_property("corpus", summary)
    print(summary)
    assert not failed, f"{summary}; failed: {sorted(failed)}"


def _verdict(line: dict[str, Any]) -> Expected | None:
    if "error" in line:
        return None
    accepted = line["verdict"] == "accepted"
    return Expected(line["verdict"], line["reason"], line["quarantined"] if accepted else {})


def test_a_plain_reader_takes_most_bad_files_without_a_word(tmp_path: Path) -> None:
    """The control: were the cases harmless, passing them would say nothing."""
    bad = [
        case
        for case in CASES.values()
        if case.id[0] in "CDEF" and case.expected.verdict != "accepted"
    ]
    bad += [case for case in CASES.values() if case.expected.quarantined and "csv" in case.forms]
    silent = []
    for case in bad:
        folder = tmp_path / case.id
        folder.mkdir()
        with contextlib.suppress(Exception):
            pl.read_csv(case.make(folder, "csv"))
            silent.append(case.id)
    assert len(silent) > len(bad) / 2, silent
