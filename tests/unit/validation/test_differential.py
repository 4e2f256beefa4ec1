"""The one pass says what Great Expectations' own engine says, on random tables and arguments.

Where it differs on purpose, the case stands at the end with its reason.
"""

import math
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from trimtab.adapters import gx, gx_engine
from trimtab.validation import compiled

# Types are the schema's here; see test_types_are_the_schemas.
KINDS = [kind for kind in compiled.names() if "_type" not in kind]
TOLD = (
    "observed_value",
    "element_count",
    "unexpected_count",
    "missing_count",
    "unexpected_percent",
)
LISTS = ("partial_unexpected_list", "partial_missing_list")
Check = Callable[..., Any]


def plain(value: Any) -> Any:
    """Round, and take away what differs by form only: NaT, NumPy, the zone of a UTC time."""
    if (isinstance(value, float) and math.isnan(value)) or str(value) == "NaT":
        return None
    if isinstance(value, float):
        return float(f"{value:.9g}") if abs(value) > 1e-9 else 0.0
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    return plain(value.item()) if hasattr(value, "item") else value


def told(outcome: Any, kind: str) -> dict[str, Any]:
    found = dict(outcome.result or {})
    said = {"success": bool(outcome.success), **{key: plain(found.get(key)) for key in TOLD}}
    if "distinct" in kind:  # their order is a set's
        return said | {key: sorted(map(_word, plain(found.get(key) or []))) for key in LISTS}
    return said


def _word(value: Any) -> str:
    return str(float(value) if isinstance(value, int) else value)


def agree(checked: Check, oracle: Any, seed: int, engine: str) -> int:
    rng = random.Random(seed)
    frame = oracle.table(rng)
    asked = list(oracle.expectations(rng, KINDS))
    theirs = oracle.ask_gx(frame, asked)
    suite = checked(frame, asked, engine=engine).suite
    ours = {item.expectation_config.meta[gx.INDEX]: item for item in suite.results}
    assert ours.keys() == theirs.keys()
    for i, item in enumerate(asked):
        if i in ours:
            assert told(ours[i], item["type"]) == told(theirs[i], item["type"]), (seed, item)
    return len(ours)


@pytest.mark.parametrize("seed", range(14))
def test_polars_agrees_with_great_expectations(checked: Check, oracle: Any, seed: int) -> None:
    assert agree(checked, oracle, seed, "polars") > 20


@pytest.mark.parametrize("seed", range(100, 105))
def test_duckdb_agrees_with_great_expectations(checked: Check, oracle: Any, seed: int) -> None:
    assert agree(checked, oracle, seed, "duckdb") > 20


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_examples_are_great_expectations_too(checked: Check, engine: str) -> None:
    frame = pl.DataFrame({"n": [5, 1, None, 7, 7, 7], "s": ["x", None, "żółć", "b", "b", "🙂"]})
    asked: Any = [
        {"type": "expect_column_values_to_be_between", "kwargs": {"column": "n", "max_value": 4}},
        {"type": "expect_column_values_to_match_regex", "kwargs": {"column": "s", "regex": "^b"}},
        {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "s"}},
    ]
    asked = [{**item, "severity": "block"} for item in asked]
    built = {i: gx.build(i, item) for i, item in enumerate(asked)}
    theirs = gx_engine.run(frame, built, name="x")
    ours = checked(frame, asked, engine=engine).suite.results
    for i, outcome in enumerate(ours):
        for key in ("partial_unexpected_list", "partial_unexpected_counts", "missing_percent"):
            assert outcome.result[key] == theirs[i].result[key], (i, key)


def one(checked: Check, frame: pl.DataFrame, kind: str, **kwargs: Any) -> Any:
    return checked(frame, [{"type": kind, "kwargs": kwargs, "severity": "block"}]).results[0]


def gx_says(frame: pl.DataFrame, kind: str, **kwargs: Any) -> Any:
    item: Any = {"type": kind, "kwargs": kwargs, "severity": "block"}
    return gx.result(item, gx_engine.run(frame, {0: gx.build(0, item)}, name="x").get(0))


TIMES = pl.DataFrame({"t": [datetime(2020, 1, day, tzinfo=UTC) for day in (1, 2, 2)]})


def test_on_purpose_types_are_the_schemas(checked: Check) -> None:
    """GX looks at pandas: whole numbers with a gap are floats, and text is not in its own list."""
    frame = pl.DataFrame({"n": [1, None], "s": ["a", None], "t": TIMES["t"][:2]})
    listed = {"column": "s", "type_list": ["str", "object", "string"]}
    assert one(checked, frame, "expect_column_values_to_be_in_type_list", **listed).success
    assert not gx_says(frame, "expect_column_values_to_be_in_type_list", **listed).success
    whole = {"column": "n", "type_": "int64"}
    assert one(checked, frame, "expect_column_values_to_be_of_type", **whole).success
    assert not gx_says(frame, "expect_column_values_to_be_of_type", **whole).success
    wrong = {"column": "n", "type_": "str"}
    assert not one(checked, frame, "expect_column_values_to_be_of_type", **wrong).success


def test_on_purpose_a_time_written_as_text_is_a_time(checked: Check) -> None:
    """GX cuts an ISO string down to a date, which cannot be compared with a time."""
    bound = {"column": "t", "min_value": "2020-01-02T00:00:00Z"}
    kind = "expect_column_values_to_be_between"
    result = one(checked, TIMES, kind, **bound)
    assert (result.success, result.unexpected) == (False, 1)


def test_on_purpose_quantiles_are_plain_json(checked: Check) -> None:
    """GX's result holds NumPy booleans, which its own store cannot write."""
    ranges = {"quantiles": [0.5], "value_ranges": [[0, 9]]}
    asked: Any = [
        {
            "type": "expect_column_quantile_values_to_be_between",
            "kwargs": {"column": "n", "quantile_ranges": ranges},
            "severity": "block",
        }
    ]
    found = checked(pl.DataFrame({"n": [1, 2, 3]}), asked)
    assert found.results[0].observed == {"quantiles": [0.5], "values": [2]}
    (told,) = gx.to_json(found.suite)["results"]
    assert told["result"]["details"]["success_details"] == [True]
    assert type(told["success"]) is bool


def test_on_purpose_the_commonest_time_is_found_in_a_set(checked: Check) -> None:
    """GX compares a time without zone with one that has it, so it never finds any."""
    kwargs = {"column": "t", "value_set": [datetime(2020, 1, 2, tzinfo=UTC)]}
    kind = "expect_column_most_common_value_to_be_in_set"
    assert one(checked, TIMES, kind, **kwargs).success
    assert not gx_says(TIMES, kind, **kwargs).success


def test_on_purpose_large_whole_numbers_stay_whole(checked: Check) -> None:
    """GX's pandas turns a whole column with a gap into floats: two keys become one."""
    frame = pl.DataFrame({"n": [2**60, 2**60 + 1, None]})
    assert one(checked, frame, "expect_column_values_to_be_unique", column="n").success
    assert not gx_says(frame, "expect_column_values_to_be_unique", column="n").success
