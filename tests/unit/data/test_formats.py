"""Containers and formats: gzip, JSON Lines, Parquet, and what only pretends to be one."""

import functools
import gzip
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trimtab.config import DatasetSpec
from trimtab.data.judge import Judgement, judge

COLUMNS = {
    "id": {"type": "text"},
    "n": {"type": "int", "nullable": True},
    "x": {"type": "float", "nullable": True},
    "at": {"type": "time", "nullable": True},
}
zipped = functools.partial(gzip.compress, mtime=0)  # bytes, and names of tests, without the time
CSV = b"id,n,x,at\n" + b"".join(b"%03d,5,1.5,2013-01-01T00:00:00Z\n" % i for i in range(50))


def judged(
    data: bytes, name: str = "a.csv", kind: str = "csv", **changes: Any
) -> tuple[Judgement, pl.DataFrame, pl.DataFrame]:
    spec = DatasetSpec.model_validate(
        {
            "dataset": "shop",
            "owner": "me",
            "source": {"uri": "landing", "format": kind},
            "key": ["id"],
            "columns": COLUMNS,
            "max_bad_rows": 1.0,
            **changes,
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "source"
        file.write_bytes(data)
        found = judge(file, spec, name=name, sha256="f" * 64, folder=Path(folder))
        good = pl.read_parquet(found.rows) if found.rows else pl.DataFrame()
        return found, good, found.bad.collect() if found.bad is not None else pl.DataFrame()


@pytest.mark.parametrize("data", [zipped(CSV), zipped(CSV[:99]) + zipped(CSV[99:])])
def test_gzip_is_read_as_what_it_holds(data: bytes) -> None:
    assert judged(data, "a.csv.gz")[1].equals(judged(CSV)[1])
    assert judged(data + b"\0" * 600, "a.csv.gz")[0].accepted  # padded to a block


@pytest.mark.parametrize(
    ("data", "name", "reason"),
    [
        (zipped(CSV), "a.csv", "format_mismatch"),
        (CSV, "a.csv.gz", "format_mismatch"),
        (zipped(CSV)[:-20], "a.csv.gz", "truncated_gzip"),
        (zipped(CSV)[:-5] + b"\0" + zipped(CSV)[-4:], "a.csv.gz", "truncated_gzip"),
        (zipped(CSV) + b"\x1f\x8b", "a.csv.gz", "truncated_gzip"),
        (zipped(zipped(CSV)), "a.csv.gz", "format_mismatch"),
        (zipped(CSV + b"\n" * 10_000_000), "a.csv.gz", "decompression_bomb"),
        (zipped(b""), "a.csv.gz", "empty_file"),
        (b"", "a.csv.gz", "empty_file"),
        (b"PK\x03\x04" + CSV, "a.csv", "unsupported_container"),
        (zipped(b"PK\x03\x04" + CSV), "a.csv.gz", "unsupported_container"),
        (b"<!DOCTYPE html><p>503", "a.csv", "format_mismatch"),
        (b'\n {"error": 503}', "a.csv", "format_mismatch"),
        (b"PAR1" + CSV, "a.csv", "format_mismatch"),
    ],
)
def test_what_a_file_is_not(data: bytes, name: str, reason: str) -> None:
    found, _, _ = judged(data, name)
    assert (found.reason, found.rows) == (reason, None)


def test_a_huge_gzip_file_is_bounded_by_bytes_too() -> None:
    limits = {"max_bytes": "1KB"}
    assert judged(zipped(CSV), "a.csv.gz", limits=limits)[0].reason == "decompression_bomb"


def lines(*objects: Any) -> bytes:
    return "\n".join(o if isinstance(o, str) else json.dumps(o) for o in objects).encode()


def test_json_lines_keep_numbers_as_they_are_written() -> None:
    first = '{"id": 9223372036854775807123, "n": 9223372036854775807, "x": 0.1, "at": null}'
    found, good, _ = judged(lines(first, "", {"id": "007"}), "a.jsonl", "jsonl")
    assert found.accepted
    assert good.select("id", "n", "x").rows() == [
        ("9223372036854775807123", 9223372036854775807, 0.1),
        ("007", None, None),
    ]


def test_json_lines_that_are_no_row_keep_their_text() -> None:
    row = {"id": "1", "n": 1, "x": 1.5, "at": "2013-01-01T00:00:00Z"}
    bad = ['{"id": "2", "id": "3"}', "[1]", "{", '{"id": "4", "extra": 1}', '{"id": "\\ud800"}']
    found, good, rows = judged(lines(row, *bad, {**row, "id": "5"}), "a.jsonl", "jsonl")
    assert found.quarantined == {"ragged_row": 5}
    assert rows.select("_row", "_line").rows() == list(enumerate(bad, start=2))
    assert good["_row"].to_list() == [1, 7]


def test_a_nested_value_is_the_value_of_no_column() -> None:
    row = {"id": "1", "n": 1, "x": 1.5, "at": None}
    found, _, bad = judged(lines(row, {**row, "id": {"a": [1, "1"]}}), "a.jsonl", "jsonl")
    assert found.quarantined == {"bad_type": 1}
    assert bad.select("id", "_column").row(0) == ('{"a": [1, "1"]}', "id")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty_file"),
        (b"\n \n", "empty_file"),
        (CSV, "format_mismatch"),
        (b'[{"id": "1"},\n{"id": "2"}]', "format_mismatch"),
        (lines({"id": "1"}), "missing_column"),
        (lines({"id": "1", "n": 1, "x": 1, "at": None, "y": 1}), "unexpected_column"),
    ],
)
def test_json_lines_that_are_no_table(data: bytes, reason: str) -> None:
    assert judged(data, "a.jsonl", "jsonl")[0].reason == reason


FRAME = pl.DataFrame(
    {
        "id": [f"{i:03d}" for i in range(100)],
        "n": list(range(100)),
        "x": [0.1] * 100,
        "at": [datetime(2013, 1, 1, tzinfo=UTC)] * 100,
    }
)


def parquet(frame: pl.DataFrame | pa.Table, **options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    table = frame.to_arrow() if isinstance(frame, pl.DataFrame) else frame
    pq.write_table(table, sink, **options)
    return bytes(sink.getvalue())


@pytest.mark.parametrize(
    "table",
    [
        FRAME.to_arrow(),
        FRAME.with_columns(pl.col("id").cast(pl.Categorical)).to_arrow(),
        FRAME.with_columns(
            pl.col("n").cast(pl.UInt8), pl.col("at").dt.cast_time_unit("ms")
        ).to_arrow(),
        FRAME.with_columns(pl.col("at").dt.convert_time_zone("Asia/Tokyo")).to_arrow(),
        FRAME.with_columns(pl.col("n", "x").cast(pl.String))
        .select("x", "at", "id", "n")
        .to_arrow(),
    ],
)
def test_parquet_of_kindred_types_is_the_same_table(table: pa.Table) -> None:
    found, good, _ = judged(parquet(table, row_group_size=30), "a.parquet", "parquet")
    assert found.accepted, found.detail
    assert good.select(FRAME.columns).equals(FRAME)
    assert good["_row"].to_list() == list(range(1, 101))


def test_parquet_values_without_a_value_and_times_without_a_zone() -> None:
    values = [float("nan"), float("inf"), None, 0.5]
    naive = ["2013-01-01T00:00:00Z", "2013-01-01T00:00:00Z", "2013-01-01T00:00:00", None]
    frame = FRAME.head(4).with_columns(pl.Series("x", values), pl.Series("at", naive))
    found, _, bad = judged(parquet(frame), "a.parquet", "parquet")
    assert found.quarantined == {"naive_timestamp": 1, "not_finite": 2}
    assert bad["x"].to_list() == ["NaN", "inf", None]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (parquet(FRAME)[:-100], "corrupt_parquet"),
        (parquet(FRAME)[:4] + b"\xff" * 60 + parquet(FRAME)[64:], "corrupt_parquet"),
        (CSV, "format_mismatch"),
        (zipped(parquet(FRAME)), "unsupported_container"),
        (parquet(FRAME.with_columns(pl.col("id").cast(pl.Int64))), "column_type_flip"),
        (parquet(FRAME.with_columns(pl.struct("n").alias("x"))), "column_type_flip"),
        (parquet(FRAME.drop("x")), "missing_column"),
        (parquet(FRAME.clear()), "no_rows"),
    ],
)
def test_parquet_that_is_no_table_of_the_contract(data: bytes, reason: str) -> None:
    assert judged(data, "a.parquet", "parquet")[0].reason == reason


def test_parquet_is_refused_by_its_footer() -> None:
    many = pl.select(pl.repeat("a", 3_000_000).alias("id")).with_columns(
        pl.lit(1).alias("n"),
        pl.lit(1.0).alias("x"),
        pl.lit(None, pl.Datetime("us", "UTC")).alias("at"),
    )
    data = parquet(many, compression="zstd")
    assert judged(data, "a.parquet", "parquet")[0].reason == "decompression_bomb"
    limits = {"max_rows": 1000}
    assert judged(data, "a.parquet", "parquet", limits=limits)[0].reason == "too_many_rows"


def test_limits_of_rows_and_columns() -> None:
    assert judged(CSV, limits={"max_rows": 49})[0].reason == "too_many_rows"
    assert judged(CSV, limits={"max_rows": 50})[0].accepted
    assert judged(CSV, limits={"min_rows": 51})[0].reason == "too_few_rows"
    assert judged(CSV, limits={"max_columns": 3})[0].reason == "too_many_columns"


def test_added_columns_come_along_as_text() -> None:
    data = CSV.replace(b"at\n", b"at,more\n").replace(b"Z\n", b"Z,01\n")
    assert judged(data)[0].reason == "unexpected_column"
    assert judged(data, evolve="add_columns")[1]["more"].to_list() == ["01"] * 50
    ours = data.replace(b"more", b"_file")
    assert judged(ours, evolve="add_columns")[0].reason == "unexpected_column"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("sales-2013-01-01.csv", "ok"),
        ("sales-2013-01-02.csv", "partition_mismatch"),
        ("sales-2013-02-30.csv", "bad_filename"),
        ("other.csv", "bad_filename"),
    ],
)
def test_the_name_says_which_rows_belong_there(name: str, reason: str) -> None:
    named = r"sales-(\d{4}-\d{2}-\d{2})[.]csv"
    source = {"uri": "landing", "named": named}
    found, _, _ = judged(CSV, name, source=source, time="at", partition="day")
    assert found.reason == reason


def test_keys_that_repeat_across_blocks_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trimtab.data.repeats._MOST", 3)  # looked at in several parts
    monkeypatch.setattr("trimtab.data.pieces.SIZE", 64)
    row = "{:03d},{},1.5,2013-01-01T00:00:00Z\n"
    numbers = [*range(40), 3, 7, 7, 11]
    text = "id,n,x,at\n" + "".join(
        row.format(i, 6 if k == 43 else 5) for k, i in enumerate(numbers)
    )
    found, good, bad = judged(text.encode())
    assert found.quarantined == {"conflicting_key": 2, "duplicate_key": 3}
    assert bad["_row"].to_list() == [12, 41, 42, 43, 44]
    assert bad["id"].to_list() == ["011", "003", "007", "007", "011"]
    assert good.height == found.rows_good == 39
    twice, _, _ = judged((text + text.split("\n", 1)[1]).encode(), limits={"max_duplicates": 0.3})
    assert twice.reason == "too_many_duplicates"
