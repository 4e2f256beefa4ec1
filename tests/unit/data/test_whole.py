"""What is wrong with a file as a whole: every reason with its numbers, and how often it is wrong."""

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import pytest

from trimtab.config import DatasetSpec
from trimtab.data import history, whole
from trimtab.types import ROW, FileVerdict

COLUMNS: dict[str, Any] = {
    "id": {"type": "text"},
    "x": {"type": "float", "nullable": True},
    "n": {"type": "int", "nullable": True},
    "kind": {"type": "category", "nullable": True},
    "late": {"type": "bool", "nullable": True},
}


def spec(columns: Mapping[str, Any] | None = None, **changes: Any) -> DatasetSpec:
    merged = {name: {**COLUMNS[name], **(columns or {}).get(name, {})} for name in COLUMNS}
    values = {
        "dataset": "shop",
        "owner": "me",
        "source": {"uri": "landing/shop"},
        "key": ["id"],
        "columns": merged,
    }
    return DatasetSpec.model_validate({**values, **changes})


def rows(count: int = 400, seed: int = 1, **changes: Sequence[Any]) -> pl.DataFrame:
    draw = random.Random(seed)
    columns: dict[str, Sequence[Any]] = {
        "id": [str(number) for number in range(count)],
        "x": [draw.lognormvariate(3, 1) for _ in range(count)],
        "n": [draw.randint(0, 9) for _ in range(count)],
        "kind": [draw.choice("abcd") for _ in range(count)],
        "late": [draw.random() < 0.2 for _ in range(count)],
    }
    return pl.DataFrame({**columns, **changes}).with_row_index(ROW, offset=1)


def refusal(
    good: pl.DataFrame,
    contract: DatasetSpec,
    bad: Mapping[tuple[str, str | None], int] | None = None,
    earlier: Sequence[FileVerdict] = (),
) -> tuple[str, str]:
    read = good.height + sum((bad or {}).values())
    found = whole.refusal(good.lazy(), bad or {}, read, contract, earlier)
    return (str(found[0]), found[1]) if found else ("ok", "")


def earlier(count: int, size: int = 400, **medians: float) -> list[FileVerdict]:
    return [
        FileVerdict(
            dataset="shop",
            name=f"{number}.csv",
            sha256=str(number),
            verdict="accepted",
            rows_accepted=size,
            medians=medians,
        )
        for number in range(count)
    ]


@pytest.mark.parametrize(
    ("bad", "reason", "told"),
    [
        ({("bad_type", "n"): 300}, "column_type_flip", "300 of 400 cells of n are no int"),
        ({("bad_id_format", "id"): 201}, "column_type_flip", "cells of id are no text"),
        ({("null_not_allowed", "x"): 400}, "column_all_null", "x has no value in any of 400"),
        (
            {("null_not_allowed", "x"): 390, ("bad_type", "n"): 10},
            "column_all_null",
            "x has no value",
        ),
        ({("duplicate_key", "id"): 200}, "too_many_duplicates", "200 of 400 rows repeat"),
        ({("outside_partition", None): 399}, "partition_mismatch", "399 of 400"),
        ({("bad_enum", "kind"): 21}, "too_many_bad_rows", "21 bad_enum in kind"),
        ({("bad_enum", "kind"): 20}, "ok", ""),
        ({("ragged_row", None): 250}, "too_many_bad_rows", "250 ragged_row"),
    ],
)
def test_counts_of_bad_rows(bad: Any, reason: str, told: str) -> None:
    left = 400 - sum(bad.values())
    found, detail = refusal(rows(max(left, 0)), spec(), bad)
    assert found == reason
    assert told in detail


def test_no_rows_and_too_few() -> None:
    assert refusal(rows(0), spec())[0] == "no_rows"
    assert refusal(rows(3), spec(limits={"min_rows": 4}))[0] == "too_few_rows"
    assert refusal(rows(4), spec(limits={"min_rows": 4}))[0] == "ok"
    all_bad = {("bad_enum", "kind"): 4}
    assert refusal(rows(0), spec(max_bad_rows=1), all_bad)[0] == "no_rows"


@pytest.mark.parametrize(
    ("columns", "changes", "reason", "told"),
    [
        ({"n": {"max_missing": 0.5}}, {"n": [None] * 400}, "column_all_null", "400 of 400 rows"),
        ({"n": {"max_missing": 0.5}}, {"n": [1, None] * 200}, "ok", ""),
        ({"n": {"min_distinct": 2}}, {"n": [7] * 400}, "constant_column", "1 different value"),
        ({"n": {"min_distinct": 2}}, {"n": [7] * 399 + [8]}, "ok", ""),
        ({"kind": {"max_distinct": 3}}, {}, "cardinality", "kind has 4 different values"),
        ({"kind": {"max_distinct": 4}}, {}, "ok", ""),
    ],
)
def test_columns(columns: Any, changes: Any, reason: str, told: str) -> None:
    found, detail = refusal(rows(**changes), spec(columns))
    assert found == reason
    assert told in detail


def test_all_that_is_wrong_is_told_under_the_first_reason() -> None:
    contract = spec({"n": {"max_missing": 0.5}, "kind": {"max_distinct": 3}}, label="late")
    found, detail = refusal(rows(n=[None] * 400, late=[True] * 400), contract)
    assert found == "column_all_null"
    assert "; also cardinality: kind has 4" in detail
    assert "; also single_class: label late" in detail


def test_few_rows_say_nothing_about_different_values() -> None:
    contract = spec({"n": {"min_distinct": 2}}, label="late")
    one = rows(99, n=[1] * 99, late=[True] * 99)
    assert refusal(one, contract)[0] == "ok"


LATE = rows()["late"].to_list()


@pytest.mark.parametrize(
    ("columns", "changes", "reason", "told"),
    [
        ({}, {"late": [True] * 400}, "single_class", "late has 1 different value"),
        ({}, {}, "ok", ""),
        ({}, {"x": [100.0 * late + i % 90 for i, late in enumerate(LATE)]}, "label_leak", "AUC 1"),
        ({}, {"x": [-5.0 * late for late in LATE]}, "label_leak", "x alone tells late"),
        ({}, {"kind": ["xy"[late] for late in LATE]}, "label_leak", "purity 1"),
        (
            {"x": {"known_after": "delivery"}},
            {"x": [100.0 * late for late in LATE]},
            "ok",
            "",
        ),
    ],
)
def test_label(columns: Any, changes: Any, reason: str, told: str) -> None:
    found, detail = refusal(rows(**changes), spec(columns, label="late"))
    assert found == reason
    assert told in detail


def test_a_class_that_never_comes_is_named() -> None:
    contract = spec({"kind": {"values": list("abcdez")}}, label="kind")
    found, detail = refusal(rows(), contract)
    assert found == "class_missing"
    assert "kind never is e, z" in detail


def test_volume_and_shift_need_enough_files_before() -> None:
    contract = spec(history={"min_files": 5})
    median = float(rows()["x"].median())  # type: ignore[arg-type]
    assert refusal(rows(), contract, earlier=earlier(5, x=median))[0] == "ok"
    assert refusal(rows(), contract, earlier=earlier(4, 10))[0] == "ok"
    assert refusal(rows(), contract, earlier=earlier(5, 79))[0] == "volume_anomaly"
    assert refusal(rows(), contract, earlier=earlier(5, 2_001))[0] == "volume_anomaly"
    found, detail = refusal(rows(), contract, earlier=earlier(5, x=median / 100))
    assert found == "distribution_shift"
    assert "the median of x" in detail
    assert refusal(rows(), contract, earlier=earlier(5, x=median / 9))[0] == "ok"


def test_zero_is_no_change_of_unit() -> None:
    contract = spec(history={"min_files": 5})
    assert refusal(rows(n=[0] * 400), contract, earlier=earlier(9, n=300.0))[0] == "ok"
    assert refusal(rows(n=[300] * 400), contract, earlier=earlier(9, n=0.0))[0] == "ok"


def test_measured_medians_are_those_of_numbers_that_are_no_key() -> None:
    assert history.measure(rows().lazy(), spec()) == {}
    found = history.measure(rows().lazy(), spec(history={}))
    assert set(found) == {"x", "n"}
    empty = history.measure(rows(n=[None] * 400).lazy(), spec(history={}))
    assert set(empty) == {"x"}


FILES, MOST = 300, 0.01  # at most one file in a hundred may be refused for nothing


@pytest.mark.parametrize("count", [100, 400])
@pytest.mark.parametrize("share", [0.05, 0.5])
def test_false_alarms_are_rarer_than_one_in_a_hundred(count: int, share: float) -> None:
    """Files of one process, of the smallest size that is judged too, with a rare class."""
    contract = spec(
        {"n": {"min_distinct": 2}}, label="late", history={"min_files": 5}, max_bad_rows=1
    )
    draw = random.Random(f"{count} {share}")
    before: list[FileVerdict] = []
    alarms = []
    for number in range(FILES):
        size = max(100, round(count * math.exp(draw.gauss(0, 0.3))))
        day = rows(size, seed=number, late=[draw.random() < share for _ in range(size)])
        found, detail = refusal(day, contract, earlier=before)
        if found == "ok":
            medians = history.measure(day.lazy(), contract)
            before += [f.model_copy(update={"medians": medians}) for f in earlier(1, size)]
        else:
            alarms.append(detail)
    assert len(alarms) <= MOST * FILES, alarms[:5]


def test_a_large_file_is_sampled_for_leaks() -> None:
    count = 300_000
    late = [number % 5 == 0 for number in range(count)]
    leaking = rows(count, late=late, x=[float(known) for known in late])
    assert refusal(leaking, spec(label="late"))[0] == "label_leak"
