"""The verdict on bytes: every file reason, every row reason, exact counts."""

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from trimtab.config import DatasetSpec
from trimtab.data.judge import Judgement, judge
from trimtab.types import FILE, PARTITION, ROW

COLUMNS: dict[str, Any] = {
    "id": {"type": "text"},
    "at": {"type": "time"},
    "n": {"type": "int", "min": 0, "max": 9_223_372_036_854_775_807, "nullable": True},
    "x": {"type": "float", "min": -10, "max": 10, "nullable": True},
    "kind": {"type": "category", "values": ["a", "b"], "nullable": True},
    "code": {"type": "text", "pattern": "[A-Z]{2}|x", "nullable": True},
    "flag": {"type": "bool", "nullable": True},
}
HEADER = ",".join(COLUMNS)
GOOD = "1,2013-01-31T23:00:00Z,5,1.5,a,NY,true"


def spec(**changes: Any) -> DatasetSpec:
    values = {
        "dataset": "shop",
        "owner": "me",
        "source": {"uri": "landing/shop"},
        "key": ["id", "at"],
        "time": "at",
        "partition": "month",
        "columns": COLUMNS,
        "max_bad_rows": 1.0,
    }
    return DatasetSpec.model_validate({**values, **changes})


@dataclass(frozen=True)
class Judged:
    """A judgement with its rows in memory."""

    verdict: Judgement
    good: pl.DataFrame
    bad: pl.DataFrame

    def __getattr__(self, name: str) -> Any:
        return getattr(self.verdict, name)


def judged(text: str | bytes, name: str = "shop-1.csv", **changes: Any) -> Judged:
    data = text if isinstance(text, bytes) else text.encode()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "source"
        file.write_bytes(data)
        verdict = judge(
            file,
            spec(**changes),
            name=name,
            sha256="f" * 64,
            folder=Path(folder),
            arrived=datetime(2026, 1, 1, tzinfo=UTC),
        )
        good = pl.read_parquet(verdict.rows) if verdict.rows else pl.DataFrame()
        bad = verdict.bad.collect() if verdict.bad is not None else pl.DataFrame()
    return Judged(verdict, good, bad)


def rows(*lines: str) -> str:
    return "\n".join([HEADER, *lines]) + "\n"


def row(**cells: str) -> str:
    """One row that is good but for ``cells``, beside a good row with another key."""
    values = dict(zip(COLUMNS, GOOD.split(","), strict=True))
    return rows("0" + GOOD, ",".join({**values, **cells}.values()))


@pytest.mark.parametrize(
    ("data", "reason", "told"),
    [
        (b"", "empty_file", "0 bytes"),
        (b"\xef\xbb\xbf", "empty_file", "3 bytes"),
        (b"\n\n\r\n", "empty_file", "4 bytes"),
        (rows().encode(), "no_rows", "no row below"),
        (rows(GOOD).encode() + b"\xe9", "bad_encoding", f"byte {len(rows(GOOD))}"),
        (rows(GOOD).encode("utf-16"), "bad_encoding", "UTF-8"),
        (rows(GOOD).encode("utf-16-le"), "nul_byte", "byte 1"),
        (rows(GOOD + "\0").encode(), "nul_byte", "NUL"),
        (rows(GOOD).replace("\n", "\r").encode(), "bad_line_ends", "carriage return"),
        (rows(GOOD).replace("id,", "id,id,").encode(), "duplicate_header", "id"),
        (rows(GOOD).replace(",flag", "").encode(), "missing_column", "flag"),
        (rows(GOOD).replace(",flag", ",flag,extra").encode(), "unexpected_column", "extra"),
        (rows(GOOD).replace("n,x", "N, x").encode(), "missing_column", "unexpected_column: N,  x"),
        (rows(GOOD).replace(",", ";").encode(), "header_mismatch", "missing_column: id, at"),
        ((GOOD + "\n").encode(), "header_mismatch", "unexpected_column"),
        (rows('"' + GOOD).encode(), "unterminated_quote", "line 2"),
        (rows('"0"1' + GOOD[1:]).encode(), "unterminated_quote", "line 2"),
    ],
)
def test_a_file_that_is_no_table_is_refused_by_name(data: bytes, reason: str, told: str) -> None:
    verdict = judged(data)
    assert (verdict.reason, verdict.accepted, verdict.rows_read) == (reason, False, 0)
    assert told in verdict.detail


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"id": ""}, "null_not_allowed"),
        ({"at": ""}, "null_not_allowed"),
        *(
            ({"n": text}, "bad_type")
            for text in (
                "two",
                "33.7",
                "1e3",
                "3_3",
                "\uff13\uff13",
                " 5",
                "9223372036854775808",
                "NA",
            )
        ),
        *(({"x": text}, "bad_type") for text in ("1.2.3", "$1", "0x1p3", "1_0.5", "--1", "True")),
        *(({"x": text}, "not_finite") for text in ("inf", "-Infinity", "NaN", "1e999")),
        ({"n": "-1"}, "out_of_range"),
        ({"x": "10.5"}, "out_of_range"),
        ({"x": "-1e308"}, "out_of_range"),
        ({"kind": "c"}, "bad_enum"),
        ({"kind": "a\u200b"}, "bad_enum"),
        ({"code": "NYC"}, "bad_enum"),
        ({"code": "ax"}, "bad_enum"),
        ({"flag": "maybe"}, "bad_type"),
        *(
            ({"at": text}, "naive_timestamp")
            for text in ("2013-01-31T23:00:00", "2013-01-31 23:00", "2013-01-31")
        ),
        *(
            ({"at": text}, "bad_type")
            for text in ("2013-02-30T00:00:00Z", "2013-01-31T25:00:00Z", "01/02/2026")
        ),
        ({"at": "2013-01-31T23:00:60Z"}, "bad_type"),
        ({"at": "1359673200000"}, "bad_type"),
    ],
)
def test_a_bad_row_keeps_its_text_its_place_and_its_reason(
    cells: dict[str, str], reason: str
) -> None:
    verdict = judged(row(**cells))
    assert verdict.quarantined == {reason: 1}
    bad = verdict.bad.row(0, named=True)
    assert (bad[ROW], bad["_column"]) == (2, next(iter(cells)))
    assert {name: bad[name] for name in cells} == cells
    assert (verdict.rows_read, verdict.good.height) == (2, 1)


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        ("id", "007", "007"),
        ("id", "NA", "NA"),
        ("id", '"a,""b"', 'a,"b'),
        ("n", "9223372036854775807", 9_223_372_036_854_775_807),
        ("n", "+05", 5),
        ("n", "", None),
        ("x", ".5", 0.5),
        ("x", "1e1", 10.0),
        ("code", "x", "x"),
        ("flag", "No", False),
        ("flag", "1", True),
    ],
)
def test_good_values_come_back_as_they_were(column: str, text: str, value: Any) -> None:
    verdict = judged(row(**{column: text}))
    assert verdict.accepted
    assert verdict.good[column].to_list()[-1] == value


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2013-01-31T23:00:00Z", "2013-01-31T23:00:00+00:00"),
        ("2013-01-31 23:00Z", "2013-01-31T23:00:00+00:00"),
        ("2013-02-01T01:00:00+02:00", "2013-01-31T23:00:00+00:00"),
        ("2013-01-31T18:00-05", "2013-01-31T23:00:00+00:00"),
        ("2013-01-31T23:00:00.123456+0000", "2013-01-31T23:00:00.123456+00:00"),
    ],
)
def test_a_time_with_its_zone_is_kept_in_utc(text: str, iso: str) -> None:
    assert judged(row(id="7", at=text)).good["at"][-1].isoformat() == iso


def test_null_values_are_the_files_own() -> None:
    source = {"uri": "landing/shop", "null_values": ["", "NA", "-"]}
    assert judged(row(n="NA", x="-", code="NA"), source=source).good.row(-1)[2:6] == (
        None,
        None,
        "a",
        None,
    )


def test_staged_rows_have_the_contracts_types_and_the_system_columns() -> None:
    good = judged(rows(GOOD)).good
    kinds = [pl.String, pl.Datetime("us", "UTC"), pl.Int64, pl.Float64, pl.String, pl.String]
    assert good.dtypes == [*kinds, pl.Boolean, pl.Int64, pl.String, pl.String]
    assert good.select(FILE, ROW, PARTITION).row(0) == ("f" * 64, 1, "2013-01")


@pytest.mark.parametrize(
    ("partition", "value"), [("month", "2013-01"), ("day", "2013-01-31"), ("file", "shop-1")]
)
def test_partitions_are_named_by_the_contract(partition: str, value: str) -> None:
    assert judged(rows(GOOD), partition=partition).good[PARTITION].to_list() == [value]


@pytest.mark.parametrize("mark", ["", '"'])
def test_rows_that_do_not_fit_the_header_are_set_aside_whole(mark: str) -> None:
    lines = [f"{mark}{i}{mark}{GOOD[1:]}" for i in range(4)]
    lines[1] += ",more"
    lines[2] = lines[2].rsplit(",", 1)[0]
    verdict = judged(rows(lines[0], "", *lines[1:]))
    assert verdict.quarantined == {"ragged_row": 2}
    assert verdict.bad.select(ROW, "_line").rows() == [(2, lines[1]), (3, lines[2])]
    assert verdict.good[ROW].to_list() == [1, 4]
    assert verdict.rows_read == 4


def test_too_many_and_too_few_fields_do_not_cancel_out() -> None:
    verdict = judged(rows(GOOD, "2" + GOOD[1:] + ",more", "3" + GOOD[1:].rsplit(",", 1)[0]))
    assert verdict.quarantined == {"ragged_row": 2}


@pytest.mark.parametrize("quoted", [False, True])
def test_bom_crlf_and_another_column_order_are_fine(quoted: bool) -> None:
    names = list(reversed(COLUMNS))
    cells = [f'"{c}"' if quoted else c for c in reversed(GOOD.split(","))]
    text = "\ufeff" + ",".join(names) + "\r\n" + ",".join(cells) + "\r\n"
    verdict = judged(text)
    assert verdict.good.row(0) == judged(rows(GOOD)).good.row(0)


def test_a_line_end_inside_quotes_belongs_to_the_cell() -> None:
    verdict = judged(rows(GOOD, '"2\n3"' + GOOD[1:], "4" + GOOD[1:]))
    assert verdict.good["id"].to_list() == ["1", "2\n3", "4"]
    assert verdict.good[ROW].to_list() == [1, 2, 3]


def test_a_single_column_tells_an_empty_cell_from_a_blank_line() -> None:
    columns = {"id": {"type": "text"}}
    verdict = judged("id\n1\n\n2\n", columns=columns, key=["id"], time=None, partition="file")
    assert verdict.good["id"].to_list() == ["1", "2"]
    assert verdict.rows_read == 2


def test_a_short_row_alone_is_not_filled_up() -> None:
    verdict = judged(rows(GOOD, "2" + GOOD[1:].rsplit(",", 1)[0]))
    assert verdict.quarantined == {"ragged_row": 1}


def test_the_first_of_equal_rows_is_kept_and_contradictions_none() -> None:
    other = GOOD.replace("1.5", "2.5")
    verdict = judged(rows(GOOD, GOOD, GOOD, "2" + GOOD[1:], "2" + other[1:], "3" + GOOD[1:]))
    assert verdict.quarantined == {"conflicting_key": 2, "duplicate_key": 2}
    assert verdict.good[ROW].to_list() == [1, 6]
    assert verdict.bad["_column"].unique().to_list() == ["id,at"]


@pytest.mark.parametrize(("bad", "reason"), [(1, "ok"), (2, "too_many_bad_rows")])
def test_a_file_is_refused_above_the_share_of_bad_rows(bad: int, reason: str) -> None:
    lines = [f"{i}{GOOD[1:]}" for i in range(20)]
    lines[:bad] = [line.replace("1.5", "text") for line in lines[:bad]]
    verdict = judged(rows(*lines), max_bad_rows=0.05)
    assert verdict.reason == reason
    assert verdict.good.height + verdict.bad.height == verdict.rows_read == 20
    if bad == 2:
        assert verdict.quarantined == {"bad_type": 2, "too_many_bad_rows": 18}
        assert "2 of 20 rows are bad (2 bad_type in x)" in verdict.detail
