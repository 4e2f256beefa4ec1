from pathlib import Path

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
        "new": pl.Series(["z"] * ROWS),
    }
    now = good().with_columns(**odd)
    before = good().with_columns(
        **{name: good()["x"] for name in ["null", "nan", "text", "list", "inf", "constant"]},
        new=pl.lit("a"),
        gone=good()["x"],
    )
    page = tmp_path / "evidently.html"
    made = evidently.write_drift_page(
        before,
        now,
        page,
        numeric=["x", "null", "nan", "text", "list", "inf", "constant", "gone"],
        categorical=["c", "new"],
        threshold=0.2,
    )
    assert made.status == "written"
    assert made.left_out == {
        "null": "no value in the current rows",
        "nan": "no value in the current rows",
        "text": "String, not a number, in the current rows",
        "list": "values of mixed types in the current rows",
        "gone": "absent in the current rows",
    }
    assert page.exists()


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
