from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from trimtab.adapters import evidently

ROWS = 600


def good(shift: float = 0.0) -> pl.DataFrame:
    draw = np.random.default_rng(0)
    return pl.DataFrame(
        {"x": draw.normal(size=ROWS) + shift, "c": draw.choice(["a", "b"], size=ROWS)}
    )


def test_a_page_is_written_on_a_stated_sample(tmp_path: Path) -> None:
    page = tmp_path / "deep" / "evidently.html"
    made = evidently.write_drift_page(
        good(), good(1), page, numeric=["x"], categorical=["c"], threshold=0.2, sample=200
    )
    assert made == evidently.DriftPage("written", (200, 200))
    assert page.stat().st_size > 1_000_000
    assert [file.name for file in page.parent.iterdir()] == ["evidently.html"]


def test_odd_columns_are_left_out_and_named(tmp_path: Path) -> None:
    odd = {
        "null": pl.Series([None] * ROWS, dtype=pl.Float64),
        "nan": pl.Series([float("nan")] * ROWS),
        "text": pl.Series(["1"] * ROWS),
        "list": pl.Series([[1]] * ROWS),
        "inf": pl.Series([1.0, 2.0, float("inf")] * (ROWS // 3)),
        "constant": pl.Series([1.0] * ROWS),
        "close": pl.Series([1e16, 1e16 + 2] * (ROWS // 2)),
        "new": pl.Series(["z"] * ROWS),
    }
    now = good().with_columns(**odd)
    before = good().with_columns(
        **{
            name: good()["x"]
            for name in ["null", "nan", "text", "list", "inf", "constant", "close"]
        },
        new=pl.lit("a"),
        gone=good()["x"],
    )
    page = tmp_path / "evidently.html"
    made = evidently.write_drift_page(
        before,
        now,
        page,
        numeric=["x", "null", "nan", "text", "list", "inf", "constant", "close", "gone"],
        categorical=["c", "new"],
        threshold=0.2,
    )
    assert made.status == "written"
    assert made.left_out == {
        "null": "no value in the current rows",
        "nan": "no value in the current rows",
        "text": "String, not a number, in the current rows",
        "list": "values of mixed types in the current rows",
        "close": "numbers too close to each other for bins in the current rows",
        "gone": "absent in the current rows",
    }
    assert page.exists()


@pytest.mark.parametrize("rows", [(1, 1), (1, ROWS), (ROWS, 1)])
def test_a_single_row_is_shown_too(tmp_path: Path, rows: tuple[int, int]) -> None:
    before, after = good().head(rows[0]), good().head(rows[1])
    made = evidently.write_drift_page(
        before, after, tmp_path / "e.html", numeric=["x"], categorical=["c"], threshold=0.2
    )
    assert made == evidently.DriftPage("written", rows)


def test_a_scanned_file_is_sampled_without_reading_it_all(tmp_path: Path) -> None:
    good().write_parquet(tmp_path / "rows.parquet")
    made = evidently.write_drift_page(
        pl.scan_parquet(tmp_path / "rows.parquet"), good(), tmp_path / "e.html",
        numeric=["x"], categorical=["c"], threshold=0.2, sample=250,
    )  # fmt: skip
    assert made.sample == (200, 200), "every third row"


def test_a_column_that_crashes_it_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, page = evidently._save, tmp_path / "e.html"

    def crash(before: object, after: object, path: Path, numbers: list[str], *rest: Any) -> None:
        if "x" in numbers:
            raise ZeroDivisionError("inside the report")
        save(before, after, path, numbers, *rest)

    monkeypatch.setattr(evidently, "_save", crash)
    made = evidently.write_drift_page(
        good(), good(), page, numeric=["x"], categorical=["c"], threshold=0.2
    )
    assert made.status == "written"
    assert set(made.left_out) == {"x"}
    assert [file.name for file in tmp_path.iterdir()] == ["e.html"]


def test_nothing_to_show_is_a_status(tmp_path: Path) -> None:
    page = tmp_path / "evidently.html"
    made = evidently.write_drift_page(
        good(), good().clear(), page, numeric=["x"], categorical=["c"], threshold=0.2
    )
    assert made.status == "empty"
    assert not page.exists()


def test_a_crash_is_a_status_and_not_an_exception(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import evidently as library

    def crash(*_: object, **__: object) -> None:
        raise ZeroDivisionError("inside the report")

    monkeypatch.setattr(library.Report, "run", crash)
    made = evidently.write_drift_page(
        good(), good(), tmp_path / "e.html", numeric=["x"], categorical=[], threshold=0.2
    )
    assert made.status == "failed"
    assert made.note == "ZeroDivisionError: inside the report"
