"""The two files and the page: what is written is what the product reads, and safe to look at."""

import gzip
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from trimtab.config import load_project
from trimtab.config.columns import split_by
from trimtab.config.loader import load_dataset
from trimtab.config.registered import Registered
from trimtab.data.judge import judge
from trimtab.profiling import contract, model, page
from trimtab.profiling.profile import Profile, profile
from trimtab.profiling.reading import read
from trimtab.training import registry

N = 900
AWKWARD = "<script>alert(1)</script>"


def world() -> pl.DataFrame:
    rng = np.random.default_rng(7)
    x = rng.normal(50, 10, N)
    days = [f"2026-{1 + i // 300:02d}-{1 + i % 28:02d}T08:{i % 60:02d}:00Z" for i in range(N)]
    return pl.DataFrame(
        {
            "Kunden-Nr.": [f"{i:07d}" for i in range(N)],
            "at": days,
            "Größe (cm)": x.round(1),
            "yes": rng.choice(["on", "off", "no"], N),
            "a: b #c": rng.choice(['"q"', "it's", AWKWARD, "é"], N),
            "名前": [None if i % 9 == 0 else i % 50 for i in range(N)],
            "same": ["1"] * N,
            "null": rng.choice(["~", "1.0", "0x1F", " pad "], N),
            "target": np.where(x + rng.normal(0, 10, N) > 60, "late", "in time"),
        }
    )


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    file = tmp_path_factory.mktemp("files") / "Awkward näme.csv"
    world().write_csv(file)
    return profile(read(file), "target")


@pytest.fixture
def config(tmp_path: Path, found: Profile) -> Path:
    for kind, text in {
        "datasets/things": contract.dataset(found, "things", "o'neil: #1"),
        "models/late": model.model(found, "late", "things", "o'neil: #1"),
    }.items():
        file = tmp_path / f"{kind}.yaml"
        file.parent.mkdir(parents=True)
        file.write_text(text, encoding="utf-8")
    return tmp_path


def test_both_files_pass_the_check(config: Path) -> None:
    project = load_project(config, registered=Registered(registry.names()))
    assert project.problems == ()
    spec = project.dataset("things")
    assert list(spec.columns) == world().columns
    assert (spec.key, spec.time, spec.partition) == (("Kunden-Nr.",), "at", "month")
    assert spec.columns["yes"].values == ("no", "off", "on")
    assert spec.columns["null"].values == (" pad ", "0x1F", "1.0", "~")
    assert spec.columns["名前"].nullable
    late = project.model("late")
    assert (late.task, late.target.positive) == ("binary", "late")
    assert split_by(late, project.catalog) == "time"


def test_the_contract_takes_every_row_of_the_file_it_was_learned_from(
    config: Path, found: Profile, tmp_path: Path
) -> None:
    spec = load_project(config).dataset("things")
    file = found.table.file
    folder = tmp_path / "rows"
    folder.mkdir()
    judgement = judge(file, spec, name=file.name, sha256="0" * 64, folder=folder)
    assert judgement.reason == "ok", judgement.detail
    assert (judgement.rows_read, sum(judgement.quarantined.values())) == (N, 0)


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "jsonl", "parquet"])
def test_so_it_is_in_every_format(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"things.{ending}"
    typed = world().with_columns(
        pl.col("at").str.to_datetime(time_zone="UTC"), big=pl.int_range(N) + 2**60
    )
    match ending:
        case "csv":
            world().write_csv(file, separator=";")
        case "csv.gz":
            file.write_bytes(gzip.compress(world().write_csv().encode()))
        case "jsonl":
            world().write_ndjson(file)
        case _:
            typed.write_parquet(file)
    text = contract.dataset(profile(read(file), "target"), "things", "me")
    written = tmp_path / "datasets" / "things.yaml"
    written.parent.mkdir()
    written.write_text(text, encoding="utf-8")
    spec = load_dataset(written)
    folder = tmp_path / "rows"
    folder.mkdir()
    judgement = judge(file, spec, name=file.name, sha256="0" * 64, folder=folder)
    assert judgement.reason == "ok", judgement.detail
    assert (judgement.rows_read, sum(judgement.quarantined.values())) == (N, 0)


def test_ranges_have_slack_and_keep_zero() -> None:
    def of(*values: float) -> tuple[float | None, float | None]:
        column = profile_column("float")
        return contract.bounds(column, pl.Series(values))

    assert of(10, 20) == (0, 30)
    assert of(-5, 5) == (-15, 15)
    assert of(-20, -10) == (-30, 0)
    assert of(100, 110) == (90, 120)
    assert of(0.001, 0.0123) == (0.0, 0.024)


def test_what_rises_with_time_gets_no_range(tmp_path: Path) -> None:
    """A month, a counter: later files have others, and none of their rows is wrong."""
    rng = np.random.default_rng(2)
    rows = pl.DataFrame(
        {
            "id": [f"{i:06d}" for i in range(N)],
            "at": [f"2026-{1 + i * 3 // N:02d}-01T00:00:00Z" for i in range(N)],
            "month": [1 + i * 3 // N for i in range(N)],
            "trip": [10_000 + i + int(rng.integers(0, 50)) for i in range(N)],
            "size": rng.normal(5, 1, N),
            "y": rng.choice(["yes", "no"], N),
        }
    )
    file = tmp_path / "rows.csv"
    rows.write_csv(file)
    text = contract.dataset(profile(read(file), "y"), "rows", "me")
    columns = yaml.safe_load(text)["columns"]
    assert "max" not in columns["month"]
    assert "max" not in columns["trip"]
    assert "max" in columns["size"]
    assert "rise or fall with at: " in text


def profile_column(kind: str) -> contract.Column:
    return contract.Column("a", kind, 2, 0, 2)  # type: ignore[arg-type]


def test_a_list_of_values_is_closed_only_when_it_is_steady() -> None:
    def of(texts: list[str]) -> list[str] | None:
        counts = pl.Series("a", texts).value_counts(sort=True, name="n")
        column = contract.Column(
            "a", "category", len(texts), 0, counts.height, top=tuple(counts.iter_rows())
        )
        return contract.closed(column, pl.Series("a", texts))

    assert of(["a", "b"] * 20) == ["a", "b"]
    assert of(["a", "b"] * 20 + ["c"]) is None  # seen once
    assert of(["a"] * 20 + ["b"] * 20) is None  # not in both halves
    assert of([f"v{i % 21}" for i in range(2100)]) is None  # too many


@pytest.mark.parametrize(
    "text", ["yes", "No", "null", "~", "1", "1.0", "a: b", "#x", "é", "", " ", "a\tb", "x\u2028y",
             "'", '"', "{a}", "[a]", "- a", "a, b", "😀", "\x00", "0x1F", "2026-01-01", "a" * 80]
)  # fmt: skip
def test_quoted_text_is_read_back(text: str) -> None:
    assert yaml.safe_load(f"k: [{contract.quoted(text)}]") == {"k": [text]}


def test_the_page_is_escaped_and_needs_no_network(found: Profile) -> None:
    html = page.html(found, "things")
    assert AWKWARD not in html
    assert "&lt;script&gt;" in html
    assert not re.search(r"<script|https?://|src=|@import|url\(", html)
    for part in ("Look at this first", "Columns", "What tells the target", "From first to last"):
        assert part in html
    assert all(f">{name}<" in html for name in ("Größe (cm)", "名前"))
