"""What is learned from small tables whose truth is known."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from trimtab.errors import DataError
from trimtab.profiling import findings
from trimtab.profiling.columns import inspect, slug
from trimtab.profiling.profile import Profile, profile
from trimtab.profiling.reading import read

N = 600


def table(**more: Any) -> pl.DataFrame:
    rng = np.random.default_rng(3)
    x = rng.normal(size=N)
    return pl.DataFrame(
        {
            "id": [f"{i:06d}" for i in range(N)],
            "x": x.round(4),
            "size": rng.choice(["S", "M", "L"], N),
            "y": np.where(x + rng.normal(size=N) > 1, "yes", "no"),
        }
    ).with_columns(**{name: pl.Series(values, strict=False) for name, values in more.items()})


def learned(folder: Path, rows: pl.DataFrame, target: str = "y") -> Profile:
    file = folder / "table.csv"
    rows.write_csv(file)
    return profile(read(file), target)


def kind(*texts: str | None) -> str:
    return inspect("a", pl.Series("a", texts, pl.String)).type


def told(found: Profile) -> str:
    return " ".join(f"{f.text} {f.action}" for f in findings.find(found))


@pytest.mark.parametrize(
    ("texts", "type_"),
    [
        (["1", "-2", "+3"], "int"),
        (["1", "2.5", "1e3"], "float"),
        (["1", "2", ""], "int"),
        (["1", "2", "NA"], "int"),
        (["007", "123", "456"], "category"),  # leading zeros survive as text
        (["9007199254740993", "1", "2"], "category"),  # no float could hold it
        (["yes", "No", "yes"], "bool"),
        (["1", "0", "1"], "int"),  # numbers with few values stay numbers
        (["2026-01-01T00:00:00Z", "2026-01-01 10:00+01:00"], "time"),
        (["2026-01-01", "2026-01-02"], "text"),  # no zone: no time of a contract
        (["a", "b", "a"], "category"),
        ([], "text"),
        ([None, "", "NA"], "category"),
    ],
)
def test_types(texts: list[str | None], type_: str) -> None:
    many = [
        f"{i:06d}x" if type_ == "text" and texts and texts[0] == "free" else text
        for i, text in enumerate(texts * 20)
    ]
    assert kind(*many) == type_


def test_many_different_texts_are_no_category() -> None:
    assert kind(*(f"word {i}" for i in range(1000))) == "text"
    assert kind(*(f"word {i % 40}" for i in range(1000))) == "category"


def test_odd_cells_are_told_and_do_not_make_a_number_text() -> None:
    column = inspect("a", pl.Series("a", [str(i) for i in range(200)] + ["oops"]))
    assert (column.type, column.odd, column.odd_count) == ("int", {"oops": 1}, 1)


def test_na_is_a_country_unless_a_number_column_means_missing_by_it(tmp_path: Path) -> None:
    codes = ["NA", "DE", "FR"] * (N // 3)
    found = learned(tmp_path, table(country=codes))
    assert found.column("country").missing == 0
    assert found.null_values == ("",)
    numbers = ["NA" if i % 7 == 0 else str(i) for i in range(N)]
    found = learned(tmp_path, table(country=codes, n=numbers))
    assert found.null_values == ("", "NA")
    assert found.column("country").missing == N // 3
    assert "Namibia" in told(found)


def test_keys_single_pair_content_and_duplicates(tmp_path: Path) -> None:
    rows = table()
    assert learned(tmp_path, rows).keys.chosen == ("id",)
    shop, day = [i // 20 for i in range(N)], [i % 20 for i in range(N)]
    pair = rows.drop("id").with_columns(shop=pl.Series(shop), day=pl.Series(day))
    assert set(learned(tmp_path, pair).keys.chosen) == {"shop", "day"}
    none = rows.drop("id")
    found = learned(tmp_path, pl.concat([none, none.head(3)]))
    assert (found.keys.content, found.keys.duplicates) == (True, 3)
    assert found.keys.chosen == tuple(none.columns)
    assert "No columns identify a row" in told(found)


def test_targets(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = table(
        bits=rng.integers(0, 2, N).tolist(),
        classes=rng.integers(0, 3, N).tolist(),
        amount=rng.normal(size=N).tolist(),
        word=rng.choice(["good", "bad"], N).tolist(),
    )
    goals = {name: learned(tmp_path, rows, name).target for name in rows.columns[3:]}
    assert {name: (goal.task, goal.positive) for name, goal in goals.items()} == {
        "y": ("binary", True),
        "bits": ("binary", 1),
        "classes": ("multiclass", None),
        "amount": ("regression", None),
        "word": ("binary", "bad"),
    }


def test_targets_that_cannot_be_learned_are_refused(tmp_path: Path) -> None:
    rows = table(same=["a"] * N, when=["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"] * (N // 2))
    for target, word in {
        "same": "1 different",
        "when": "time",
        "id": "text",
        "z": "--target",
    }.items():
        with pytest.raises(DataError, match=word):
            learned(tmp_path, rows, target)


def test_leaks_are_found_and_honest_columns_are_not(tmp_path: Path) -> None:
    rows = table()
    target = rows["y"].to_list()
    copy = ["later" if y == "yes" else "never" for y in target]
    gaps = [None if i % 10 == 0 else i / 7 for i in range(N)]
    found = learned(tmp_path, rows.with_columns(copy=pl.Series(copy)))
    assert [leak.column for leak in found.leaks] == ["copy"]
    assert "copy" in found.excluded
    rows = rows.with_columns(
        y=pl.Series([None if i % 10 == 0 else y for i, y in enumerate(target)]),
        paid=pl.Series(gaps),
        state_after=pl.Series([i % 5 for i in range(N)]),
    )
    assert {leak.column for leak in learned(tmp_path, rows).leaks} == {"paid", "state_after"}


def test_drift_is_seen_in_the_order_of_time_and_not_without_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    days = [f"2026-{1 + i // 100:02d}-{1 + i % 28:02d}T00:00:00Z" for i in range(N)]
    level = [float(i // 200) + rng.normal() * 0.1 for i in range(N)]
    rows = table(at=days, level=level).sample(N, shuffle=True, seed=1)
    found = learned(tmp_path, rows)
    assert (found.time, found.order) == ("at", "at")
    assert [drift.column for drift in found.drifts if drift.moved] == ["level"]
    assert not any(d.moved for d in learned(tmp_path, rows.drop("at")).drifts)


def test_a_file_sorted_by_its_target_says_nothing_of_time(tmp_path: Path) -> None:
    found = learned(tmp_path, table().sort("y"))
    assert found.sorted_by_target
    assert found.drifts == ()


def test_times_without_a_zone_stay_text_and_are_told(tmp_path: Path) -> None:
    found = learned(tmp_path, table(day=[f"2026-01-{1 + i % 28:02d}" for i in range(N)]))
    assert (found.naive, found.time) == (("day",), None)
    assert "without a zone" in told(found)


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "jsonl", "parquet"])
def test_every_format_tells_the_same(tmp_path: Path, ending: str) -> None:
    rows, file = table(), tmp_path / f"table.{ending}"
    match ending:
        case "csv":
            rows.write_csv(file, separator=";")
        case "csv.gz":
            file.write_bytes(gzip.compress(rows.write_csv().encode()))
        case "jsonl":
            rows.write_ndjson(file)
        case _:
            rows.write_parquet(file)
    found = profile(read(file), "y")
    types = {column.name: column.type for column in found.columns}
    assert types == {"id": "text", "x": "float", "size": "category", "y": "bool"}
    assert found.keys.chosen == ("id",)
    assert found.table.delimiter == (";" if ending == "csv" else ",")


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "is empty"),
        (b"a,b\n", "no row below"),
        (b"a,,b\n1,2,3\n", "column 2 has no name"),
        (b"a,a\n1,2\n", "'a' stands 2 times"),
        (b"_x,b\n1,2\n", "begins with _"),
        (b"a,b\n1,\xff\xfe\xff\xff,\n1,1\n1,1\n1,1\n", "line 2: byte 6 is not UTF-8"),
        ("a,b\n1,2\n".encode("utf-16"), "not UTF-8|NUL"),
    ],
)
def test_what_is_no_table_is_refused_with_file_and_fix(
    tmp_path: Path, content: bytes, word: str
) -> None:
    file = tmp_path / "bad.csv"
    file.write_bytes(content)
    with pytest.raises(DataError, match=word) as refused:
        read(file)
    assert str(file) in str(refused.value)


@pytest.mark.parametrize("name", ["x.parquet", "x.csv.gz", "x.jsonl"])
def test_bytes_that_are_not_what_the_name_says(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"this is nothing of the kind")
    with pytest.raises(DataError, match="check"):
        read(tmp_path / name)


def test_nested_columns_are_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "x.parquet"
    pl.DataFrame({"a": [[1], [2]], "b": [1, 2]}).write_parquet(file)
    with pytest.raises(DataError, match=r"\['a'\] hold lists"):
        read(file)


def test_rows_that_do_not_fit_the_header_are_told(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("a,b,c\n1,2,3\n4,5\n6,7,8,9\n10,11,\n")
    found = read(file)
    assert found.ragged_count == 2
    assert [at for at, _ in found.ragged] == [2, 3]
    assert "10" in found.rows["a"]


def test_slugs_are_names() -> None:
    told = {"Telco-Customer Churn": "telco_customer_churn", "2013": "d_2013", "名前": "d"}
    assert {text: slug(text) for text in told} == told
