"""The cheap way of casting says what the exact regular expressions say."""

import re
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trimtab.config import DatasetSpec
from trimtab.data.cast import Cast, cast
from trimtab.data.cells import Context
from trimtab.data.text import Text
from trimtab.types import ROW

INT = re.compile(r"[+-]?[0-9]+")
FLOAT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
NUMBERS = st.text(alphabet="0123459+-.eE_ infaNx\t\uff13", max_size=8)


def block(column: dict[str, Any], texts: list[str], **limits: Any) -> Cast:
    spec = DatasetSpec.model_validate(
        {
            "dataset": "shop",
            "owner": "me",
            "source": {"uri": "landing"},
            "key": ["id"],
            "columns": {"id": {"type": "text"}, "c": {"nullable": True, **column}},
            "limits": limits,
        }
    )
    names = [str(n) for n in range(len(texts))]
    rows = pl.DataFrame({"id": names, "c": texts}, schema={"id": pl.String, "c": pl.String})
    rows = rows.with_columns(pl.int_range(1, pl.len() + 1).alias(ROW))
    return cast(Text(rows), Context(spec), sha256="f" * 64, stem="one")


def good(found: Cast) -> set[str]:
    return set(found.good["id"])


@settings(max_examples=300, deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=20))
@example(["inf", "+NaN", "infinity", "1e999", "-1e-999", "1.", ".5", ".", "+", "1_0", " 1", ""])
def test_numbers_are_what_the_regular_expressions_say(texts: list[str]) -> None:
    whole = {
        str(n)
        for n, t in enumerate(texts)
        if not t or (INT.fullmatch(t) and -(2**63) <= int(t) < 2**63)
    }
    assert good(block({"type": "int"}, texts)) == whole
    finite = {
        str(n)
        for n, t in enumerate(texts)
        if not t or (FLOAT.fullmatch(t) and abs(float(t)) != float("inf"))
    }
    assert good(block({"type": "float"}, texts)) == finite


@settings(max_examples=300, deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_floats_come_back_bit_by_bit(values: list[float]) -> None:
    found = block({"type": "float"}, [repr(value) for value in values])
    assert [value.hex() for value in found.good["c"]] == [value.hex() for value in values]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1, max_size=20))
def test_texts_come_back_byte_by_byte(texts: list[str]) -> None:
    found = block({"type": "text"}, texts, formulas=True)
    assert found.good["c"].to_list() == texts


TIMES = st.builds(
    "{}-{:02d}-{:02d}{}{:02d}:{:02d}:{:02d}{}".format,
    st.sampled_from(["2013", "2012", "1900", "0000", "9999", "213"]),
    st.integers(0, 13),
    st.integers(0, 32),
    st.sampled_from("TTTT "),
    st.integers(0, 25),
    st.integers(0, 61),
    st.integers(0, 61),
    st.sampled_from(["Z", "Z", "Z", "+00:00", ""]),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(TIMES, min_size=1, max_size=20))
def test_the_usual_form_of_time_is_read_as_any_other(texts: list[str]) -> None:
    """A cell in another form makes the whole block take the slow way."""
    fast = [block({"type": "time"}, [text]) for text in texts]
    slow = block({"type": "time"}, [*texts, "2013-01-01T00:00:00.5+01:00"])
    one_by_one = [found.good["c"][0] for found in fast if found.good.height]
    assert one_by_one == slow.good["c"].to_list()[:-1]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("=1+1", "formula_injection"),
        ("@SUM(A1)", "formula_injection"),
        ("-cmd|x", "formula_injection"),
        ("+(1)", "formula_injection"),
        ("x" * 101, "oversized_cell"),
        ("-5", None),
        ("+49 30", None),
        ("a=b", None),
    ],
)
def test_texts_a_spreadsheet_would_run_and_huge_ones(text: str, reason: str | None) -> None:
    found = block({"type": "text"}, [text], max_cell="100B")
    assert found.bad["_reason"].to_list() == ([reason] if reason else [])
    if reason == "formula_injection":
        assert block({"type": "text"}, [text], formulas=True).bad.is_empty()
        assert block({"type": "category", "values": [text]}, [text]).bad.is_empty()


def test_event_time_has_a_last_moment_and_a_period() -> None:
    spec = DatasetSpec.model_validate(
        {
            "dataset": "shop",
            "owner": "me",
            "source": {"uri": "landing"},
            "key": ["at"],
            "time": "at",
            "columns": {"at": {"type": "time"}},
        }
    )
    first, end = datetime(2013, 1, 1, tzinfo=UTC), datetime(2013, 1, 2, tzinfo=UTC)
    texts = ["2012-12-31T23:59:59Z", "2013-01-01T00:00:00Z", "2013-01-02T00:00:00Z"]
    rows = pl.DataFrame({"at": texts}).with_columns(pl.int_range(1, 4).alias(ROW))
    outside = cast(Text(rows), Context(spec, None, (first, end)), sha256="", stem="")
    assert outside.bad.select(ROW, "_reason").rows() == [
        (1, "outside_partition"),
        (3, "outside_partition"),
    ]
    late = cast(Text(rows), Context(spec, first), sha256="", stem="")
    assert late.bad.select(ROW, "_reason").rows() == [(3, "future_timestamp")]


@pytest.mark.parametrize(
    "text", ["0000-01-01T00:00:00Z", "0001-01-01T00:00:00+02:00", "9999-12-31T23:00:00-05:00"]
)
def test_moments_outside_the_years_of_python_are_no_moments(text: str) -> None:
    assert block({"type": "time"}, [text]).bad["_reason"].to_list() == ["bad_type"]
