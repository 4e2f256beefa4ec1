"""``trimtab monitor`` judges any two files, and leaves nothing behind."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import Result

Call = Callable[..., Result]
START = datetime(2026, 1, 1, tzinfo=UTC)
BAD = "<script>alert(1)</script>"


def orders(count: int, seed: int) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "id": np.arange(count) + seed * count,
            "at": [START + timedelta(minutes=10 * (i + seed * count)) for i in range(count)],
            "amount": draw.gamma(2, 10, count).round(2),
            "place": draw.choice(["oslo", "bern", "rome"], count),
            "paid": draw.choice([True, False], count),
            "note": [f"note {i} of {seed}" for i in range(count)],
        }
    )


@pytest.fixture(params=["csv", "parquet"])
def write(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str, pl.DataFrame], Path]:
    def written(name: str, frame: pl.DataFrame) -> Path:
        file = tmp_path / f"{name}.{request.param}"
        frame.write_csv(file) if request.param == "csv" else frame.write_parquet(file)
        return file

    return written


def moved(document: dict[str, Any]) -> list[str]:
    return list(document["moved"])


def test_two_alike_files_are_quiet(call: Call, write: Any, project: Path) -> None:
    a, b = write("a", orders(2000, 0)), write("b", orders(1000, 1))
    said = call("monitor", "--reference", a, "--current", b, "--json")
    assert said.exit_code == 0, said.output
    told = json.loads(said.stdout)
    assert moved(told) == []
    assert told["reference"]["rows"] == 2000
    assert {f["column"] for f in told["findings"] if f["signal"] == "data"} == {
        "at", "amount", "place", "paid",
    }  # fmt: skip
    assert told["left_out"] == {
        "id": "another value in every row", "note": "free text, or identifiers",
    }  # fmt: skip
    assert all({"value", "threshold", "p_value", "current_rows"} <= {*f} for f in told["findings"])
    assert not (project / "home" / "ledger.db").exists(), "the ledger is not even opened"


def test_faults_are_named_and_shown(call: Call, write: Any, tmp_path: Path) -> None:
    a = write("a", orders(2000, 0))
    wrong = orders(1000, 1).with_columns(
        amount=pl.col("amount") * 100, place=pl.col("place").replace("oslo", BAD)
    )
    b, page = write("b", wrong), tmp_path / "page.html"
    said = call("monitor", "--reference", a, "--current", b, "--out", page)
    assert said.exit_code == 0, said.output
    assert "quality:amount range" in said.stdout
    assert "quality:place new_categories" in said.stdout
    html = page.read_text()
    assert BAD not in html
    assert "&lt;script&gt;" in html


def test_a_column_of_another_type_is_a_fault_of_its_own(call: Call, write: Any) -> None:
    a = write("a", orders(2000, 0))
    b = write("b", orders(1000, 1).drop("paid").with_columns(amount=pl.lit("much")))
    told = json.loads(call("monitor", "--reference", a, "--current", b, "--json").stdout)
    assert moved(told) == ["quality:amount type", "quality:paid type"]
    status = {f["column"]: f["status"] for f in told["findings"] if f["signal"] == "data"}
    assert status["amount"] == status["paid"] == "not_computable"
    assert status["place"] == "ok", "one odd column stops no other"


def test_odd_columns_never_end_it(call: Call, write: Any) -> None:
    frame = orders(500, 0).with_columns(
        empty=pl.lit(None, dtype=pl.Float64),
        same=pl.lit(1.5),
        nan=pl.lit(float("nan")),
        wide=pl.when(pl.int_range(pl.len()) % 9 == 0).then(float("inf")).otherwise(1.5),
    )
    a, b = write("a", frame), write("b", frame.head(1))
    told = json.loads(call("monitor", "--reference", a, "--current", b, "--json").stdout)
    assert moved(told) == []
    assert {f["status"] for f in told["findings"]} <= {"not_enough_data", "not_computable"}
    told = json.loads(call("monitor", "--reference", a, "--current", a, "--json").stdout)
    assert moved(told) == []


def test_a_model_says_what_its_columns_are_and_how_strictly(
    call: Call, write: Any, project: Path
) -> None:
    file = project / "config" / "models" / "lateness.yaml"
    file.write_text(file.read_text() + "monitor: {min_rows: 5000}\n")
    sales = orders(2000, 0).select("id", "amount", late="paid")
    a, b = write("a", sales), write("b", sales.with_columns(pl.col("amount") + 1e6))
    told = json.loads(
        call("monitor", "lateness", "--reference", a, "--current", b, "--json").stdout
    )
    assert {f["column"] for f in told["findings"]} == {"amount", None}
    assert {f["status"] for f in told["findings"]} == {"not_enough_data"}


def test_what_cannot_be_compared_is_told(call: Call, write: Any, tmp_path: Path) -> None:
    a = write("a", orders(100, 0))
    gone = call("monitor", "--reference", a, "--current", tmp_path / "gone.csv")
    assert gone.exit_code == 1
    assert "gone.csv: there is no such file" in gone.stderr
    (tmp_path / "text.parquet").write_text("a,b\n1,2\n")
    broken = call("monitor", "--reference", a, "--current", tmp_path / "text.parquet")
    assert "text.parquet: is no Parquet file" in broken.stderr
    assert call("monitor", "--reference", a).exit_code == 2
    ids = write("ids", orders(100, 0).select("id"))
    none = call("monitor", "--reference", ids, "--current", ids)
    assert "no column that can be compared (id: another value in every row)" in none.stderr


def test_a_model_alone_is_shown_and_commands_stand_beside_it(call: Call) -> None:
    shown, spelled = call("monitor", "lateness"), call("monitor", "show", "lateness")
    assert "lateness" in shown.output
    assert (shown.exit_code, shown.output) == (spelled.exit_code, spelled.output)
    assert "show" in call("monitor", "--help").stdout
    unknown = call("monitor", "nix")
    assert unknown.exit_code == 1
    assert "there is no model 'nix'" in unknown.stderr
