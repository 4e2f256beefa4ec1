"""Commits of files that lie there already, and the traps of Delta they step around."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from deltalake.transaction import AddAction
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.adapters import delta, delta_commit, delta_files
from trimtab.adapters.delta_files import DataFile
from trimtab.errors import DataError, LedgerConflictError

SHA = "a" * 64


def frame(n: int = 3, **more: Any) -> pl.DataFrame:
    return pl.DataFrame({"id": [f"k{i}" for i in range(n)], "n": list(range(n)), **more})


def laid(folder: Path, name: str, rows: pl.DataFrame, **options: Any) -> DataFile:
    folder.mkdir(exist_ok=True)
    rows.write_parquet(folder / name, **options)
    return delta_files.described(str(folder), name)


def commit(folder: Path, *add: DataFile, transaction: str = "t", **more: Any) -> int:
    path = str(folder)
    there = delta.exists(path)
    arguments = {
        "remove": (),
        "base": delta.version(path) if there else None,
        "schema": None if there else delta_files.columns(path, add[0].name),
        "note": {"name": "a.csv"},
        "at": 1_000,
        **more,
    }
    return delta_commit.commit(path, add=add, transaction=transaction, **arguments)


def test_a_table_is_read_wherever_it_lies(tmp_path: Path) -> None:
    folder = tmp_path / "Müller & Söhne" / "a b"
    folder.mkdir(parents=True)
    version = commit(folder, laid(folder, "1.parquet", frame()))
    commit(folder, laid(folder, "2.parquet", frame(2)), transaction="u")
    assert delta.scan(str(folder), version).collect().rows() == frame().rows()
    assert delta.scan(str(folder)).select(pl.len()).collect().item() == 5


def test_a_commit_adds_and_removes_files_without_writing_rows(tmp_path: Path) -> None:
    folder = tmp_path / "t"
    one, two = laid(folder, "1.parquet", frame(3)), laid(folder, "2.parquet", frame(5))
    assert commit(folder, one) == 0
    assert commit(folder, two, remove=[one], transaction="u") == 1
    assert pl.scan_delta(str(folder)).collect().equals(frame(5))
    assert pl.scan_delta(str(folder), version=0).collect().equals(frame(3))
    assert {f.name for f in folder.glob("*.parquet")} == {"1.parquet", "2.parquet"}
    newest = DeltaTable(str(folder)).history(1)[0]
    assert (newest["name"], newest["transaction"]) == ("a.csv", "u")


def test_delta_itself_commits_a_transaction_twice(tmp_path: Path) -> None:
    """The trap: a transaction is recorded, not enforced."""
    properties = CommitProperties(app_transactions=[Transaction("t", 1)])
    for _ in range(2):
        write_deltalake(
            str(tmp_path / "t"), frame(3).to_arrow(), mode="append", commit_properties=properties
        )
    assert pl.scan_delta(str(tmp_path / "t")).collect().height == 6


def test_we_commit_a_transaction_once(tmp_path: Path) -> None:
    folder = tmp_path / "t"
    one, two = laid(folder, "1.parquet", frame(3)), laid(folder, "2.parquet", frame(3))
    assert commit(folder, one) == commit(folder, two) == 0
    assert delta.committed(str(folder), "t") == 0
    assert delta.committed(str(folder), "u") is None
    assert pl.scan_delta(str(folder)).collect().height == 3


def test_a_copy_that_planned_on_an_older_version_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "t"
    files = [laid(folder, f"{i}.parquet", frame(2)) for i in range(4)]
    commit(folder, files[0])
    commit(folder, files[1], transaction="u")
    with pytest.raises(LedgerConflictError, match="after version 0"):
        commit(folder, files[2], transaction="v", base=0)
    with pytest.raises(LedgerConflictError, match="after version None"):
        commit(folder, files[3], transaction="w", base=None, schema=delta.schema(str(folder)))
    assert pl.scan_delta(str(folder)).collect().height == 4


def test_delta_itself_casts_silently_and_we_refuse(tmp_path: Path) -> None:
    """The trap: a float appended to a column of whole numbers loses its fraction."""
    write_deltalake(str(tmp_path / "d"), frame(1).to_arrow())
    write_deltalake(
        str(tmp_path / "d"), frame(1).with_columns(n=pl.lit(998.5)).to_arrow(), mode="append"
    )
    assert 998 in pl.scan_delta(str(tmp_path / "d")).collect()["n"]
    folder = tmp_path / "t"
    commit(folder, laid(folder, "1.parquet", frame(1)))
    wrong = laid(folder, "2.parquet", frame(1).with_columns(n=pl.lit(998.5), extra=pl.lit("x")))
    with pytest.raises(DataError, match="n is double, in the table int64; extra is"):
        commit(folder, wrong, transaction="u")
    assert delta.version(str(folder)) == 0


def test_no_version_is_lost_when_checkpoints_are_written(tmp_path: Path) -> None:
    folder = tmp_path / "t"
    for i in range(25):
        commit(folder, laid(folder, f"{i}.parquet", frame(1)), transaction=str(i))
    table = DeltaTable(str(folder))
    table.create_checkpoint()
    table.cleanup_metadata()
    assert list((folder / "_delta_log").glob("*.checkpoint.parquet"))
    assert [pl.scan_delta(str(folder), version=v).collect().height for v in range(25)] == [
        *range(1, 26)
    ]
    assert delta.committed(str(folder), "3") == 3


def test_a_plain_table_would_lose_its_versions(tmp_path: Path) -> None:
    """The control of the test above: Delta's own table forgets when it is told to keep nothing."""
    path = str(tmp_path / "t")
    short = {
        "delta.logRetentionDuration": "interval 0 days",
        "delta.enableExpiredLogCleanup": "true",
    }
    for i in range(12):
        write_deltalake(
            path, frame(1).to_arrow(), mode="append", configuration=short if not i else None
        )
    DeltaTable(path).create_checkpoint()
    DeltaTable(path).cleanup_metadata()
    with pytest.raises(Exception, match="No files in log segment"):
        pl.scan_delta(path, version=0).collect()


def test_statistics_are_what_the_rows_say(tmp_path: Path) -> None:
    moment = pl.datetime(2013, 1, 31, 23, 59, 59, 999_999, time_zone="UTC")
    rows = pl.DataFrame(
        {
            "text": ["b", None, "ä"],
            "long": ["x" * 100, "y" * 100, "z" * 64 + "\U0010ffff"],
            "sha": [SHA, SHA, SHA],
            "f": [1.5, None, -2.0],
            "inf": [float("inf"), 1.0, 2.0],
            "b": [True, False, None],
            "empty": [None, None, None],
        },
        schema_overrides={"empty": pl.Int64},
    ).with_columns(at=moment)
    folder = tmp_path / "t"
    file = laid(folder, "1.parquet", rows, row_group_size=1)
    commit(folder, file)
    stats = json.loads(file.stats)
    assert stats["numRecords"] == 3
    assert stats["nullCount"] == {
        "text": 1,
        "long": 0,
        "sha": 0,
        "f": 1,
        "inf": 0,
        "b": 1,
        "empty": 3,
        "at": 0,
    }
    assert stats["minValues"] == {
        "text": "b",
        "long": "x" * 64,
        "sha": SHA,
        "f": -2.0,
        "inf": 1.0,
        "at": "2013-01-31T23:59:59.999999Z",
    }
    assert stats["maxValues"] == {
        "text": "ä",
        "long": "z" * 63 + "{",  # Polars cuts long texts itself, upwards
        "sha": SHA,
        "f": 1.5,
        "at": "2013-01-31T23:59:59.999999Z",
    }
    (read,) = delta_files.files(str(folder)).values()
    assert read.high["at"] == rows["at"].max()
    assert (read.rows, read.size, read.nulls["empty"]) == (3, file.size, 3)
    assert (read.low["sha"], read.high["sha"]) == (SHA, SHA)


TEXTS = st.lists(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=80), min_size=1, max_size=5
)


@settings(max_examples=60, deadline=None)
@given(texts=TEXTS)
def test_bounds_of_texts_never_lie(texts: list[str]) -> None:
    stats = json.loads(
        DataFile("f", 1, len(texts), {"c": min(texts)}, {"c": max(texts)}, {"c": 0}).stats
    )
    for text in texts:
        assert stats["minValues"]["c"].encode() <= text.encode()
        assert "c" not in stats["maxValues"] or text.encode() <= stats["maxValues"]["c"].encode()


def test_skipping_by_statistics_finds_every_row(tmp_path: Path) -> None:
    folder = tmp_path / "t"
    for i in range(3):
        rows = frame(4).with_columns(pl.col("n") + 10 * i, long=pl.lit("q" * 90 + str(i)))
        commit(folder, laid(folder, f"{i}.parquet", rows), transaction=str(i))
    table = pl.scan_delta(str(folder))
    for wanted in (pl.col("n") == 12, pl.col("n") > 19, pl.col("long") == "q" * 90 + "1"):
        assert table.filter(wanted).collect().height == table.collect().filter(wanted).height > 0


def test_files_that_cannot_share_a_key_are_not_read() -> None:
    january = DataFile("1", 1, 9, {"id": "a"}, {"id": "f"}, {"id": 0})
    february = DataFile("2", 1, 9, {"id": "g"}, {"id": "k"}, {"id": 0})
    unknown = DataFile("3", 1, 9)
    holes = DataFile("4", 1, 9, {"id": "x"}, {"id": "z"}, {"id": 2})
    more = DataFile("5", 1, 9, {"id": "g"}, {"id": "k"}, {"id": 1})
    assert not january.may_share(february, ["id"])
    assert january.may_share(january, ["id"])
    assert january.may_share(unknown, ["id"])
    assert not january.may_share(holes, ["id"])
    assert more.may_share(holes, ["id"])  # a missing key equals another one


def test_old_files_lack_a_new_column(tmp_path: Path) -> None:
    folder = tmp_path / "t"
    commit(folder, laid(folder, "1.parquet", frame(1)))
    version = delta_commit.add_columns(
        str(folder), pa.schema([pa.field("extra", pa.string())]), {"name": "b.csv"}
    )
    assert version == 1
    new = laid(folder, "2.parquet", frame(1, extra=["x"]))
    assert commit(folder, new, transaction="u") == 2
    assert pl.scan_delta(str(folder)).collect()["extra"].to_list().count(None) == 1
    both = list(delta_files.files(str(folder)).values())
    rows = delta_files.read(str(folder), both, delta.schema(str(folder))).collect()
    assert sorted(rows["_path"]) == ["1.parquet", "2.parquet"]
    assert rows.columns == ["id", "n", "extra", "_path"]


def test_a_file_of_a_table_of_before_has_no_statistics(tmp_path: Path) -> None:
    folder = tmp_path / "t"
    file = laid(folder, "1.parquet", frame(2))
    commit(folder, file)
    bare = AddAction("2.parquet", 1, {}, 0, True, "{}")
    frame(2).write_parquet(folder / "2.parquet")
    table = DeltaTable(str(folder))
    table.create_write_transaction([bare], "append", table.schema())
    read = delta_files.files(str(folder))
    assert read["2.parquet"].may_share(file, ["id"])


def test_a_slice_that_is_replaced_may_bring_a_new_column(tmp_path: Path) -> None:
    path = str(tmp_path / "t")
    for part in ("a", "b"):
        rows = pl.DataFrame({"part": [part, part], "n": [1, 2]})
        delta.replace_where(path, rows.to_arrow(), f"part = '{part}'", {})
    new = pl.DataFrame({"part": ["b"], "name": ["x"], "n": [3]})
    for _ in range(2):
        delta.replace_where(path, new.to_arrow(), "part = 'b'", {})
        found = delta.scan(path).sort("part", "n").collect()
        assert found["n"].to_list() == [1, 2, 3]
        assert found["name"].to_list() == [None, None, "x"]
