"""CSV in blocks: the same records as the csv module finds in the whole file, wherever it is cut."""

import csv
import io
import itertools

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.config import DatasetSpec
from trimtab.data import csv_text
from trimtab.data.pieces import Pieces
from trimtab.data.reasons import RefusedFileError
from trimtab.data.shape import proved
from trimtab.types import ROW

MARKS = ['"', ",", "\n", "\r\n", "a", "\r"]
Rows = list[tuple[int, list[str]]]


def spec() -> DatasetSpec:
    return DatasetSpec.model_validate(
        {
            "dataset": "shop",
            "owner": "me",
            "source": {"uri": "landing"},
            "key": ["p"],
            "columns": {"p": {"type": "text"}, "q": {"type": "text"}},
        }
    )


def in_blocks(data: bytes, size: int, longest: int = 1 << 20) -> tuple[Rows, Rows] | str:
    pieces = Pieces(io.BytesIO(data), longest=longest, size=size)
    good: Rows = []
    misfits: Rows = []
    try:
        for block in csv_text.read(pieces, spec()).blocks:
            good += [(row[-1], list(row[:-1])) for row in block.rows.select("p", "q", ROW).rows()]
            misfits += [(row, [line]) for row, line in block.ragged.rows()]
    except RefusedFileError as refused:
        return str(refused.reason)
    return good, misfits


def at_once(data: bytes) -> tuple[Rows, list[int]] | str:
    try:
        reader = csv.reader(io.StringIO(data.decode(), newline=""), strict=True)
        records = [record for record in reader if record][1:]
    except csv.Error:
        return "unterminated_quote"
    numbered = list(enumerate(records, start=1))
    good = [(n, record) for n, record in numbered if len(record) == 2]
    return good, [n for n, record in numbered if len(record) != 2]


def test_what_is_proved_regular_is_parsed_as_the_csv_module_does() -> None:
    """Every text of up to five marks; Polars must add nothing and drop nothing."""
    tried = 0
    for length in range(1, 6):
        for marks in itertools.product(MARKS, repeat=length):
            block = "".join(marks).encode()
            if (shape := proved(block, 2, ",")) is None:
                continue
            tried += 1
            part = block[: shape.end]
            rows = csv_text._parsed(part, ["p", "q"], ",", quoted=shape.quoted)
            expected = csv.reader(io.StringIO(part.decode(), newline=""), strict=True)
            assert rows is not None
            assert [list(row) for row in rows.rows()] == [r for r in expected if r], block
    assert tried > 300


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.sampled_from([*MARKS, "b,c\n", '"x","y\n"\n', "é", '"q""r",s\n']), max_size=40),
    st.integers(1, 40),
)
def test_where_a_file_is_cut_changes_nothing(marks: list[str], size: int) -> None:
    data = ("p,q\n" + "".join(marks)).encode()
    found, expected = in_blocks(data, size), at_once(data)
    if isinstance(found, str) or isinstance(expected, str):
        assert found == expected
        return
    assert found[0] == expected[0]
    assert [row for row, _ in found[1]] == expected[1]


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_a_misfit_keeps_its_own_text_only(size: int) -> None:
    found = in_blocks(b'p,q\n1,2\n"a\nb",3,4\n5,6\n7\n', size)
    assert found == ([(1, ["1", "2"]), (3, ["5", "6"])], [(2, ['"a\nb",3,4']), (4, ["7"])])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"p,q\n" + b"1,2\n" * 50 + b'"3,4\n' + b"5,6\n" * 5000, "unterminated_quote"),
        (b"p,q\n" + b"x" * 20_000, "too_large"),
        (b"p,q\r" + b"1,2\r" * 5_000, "bad_line_ends"),
        (b"p,q\n" + b"1,2\n" * 50 + b"\xff,2\n", "bad_encoding"),
        (b"p,q\n" + b"1,2\n" * 50 + b"1,\0\n", "nul_byte"),
    ],
)
def test_what_is_wrong_late_in_a_file_refuses_it_in_bounded_memory(
    data: bytes, reason: str
) -> None:
    assert in_blocks(data, 64, longest=10_000) == reason


def test_one_bad_row_slows_its_own_block_only(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks: list[int] = []
    slow = csv_text._File._linewise

    def counted(self: csv_text._File, block: bytes, header: list[str], first: int) -> object:
        blocks.append(first)
        return slow(self, block, header, first)

    monkeypatch.setattr(csv_text._File, "_linewise", counted)
    found = in_blocks(b"p,q\n" + b"1,2\n" * 100 + b"1,2,3\n" + b"1,2\n" * 100, 100)
    assert not isinstance(found, str)
    assert (len(found[0]), len(found[1]), len(blocks)) == (200, 1, 1)


def test_positions_are_int64_whatever_the_block() -> None:
    pieces = Pieces(io.BytesIO(b"p,q\n1,2\n3\n"), longest=100)
    (block,) = csv_text.read(pieces, spec()).blocks
    assert block.rows.schema[ROW] == block.ragged.schema[ROW] == pl.Int64()
