"""Checking a frame by way of a Parquet file, as the stage does."""

import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from trimtab.adapters.gx import Expectation
from trimtab.types import ROW
from trimtab.validation.check import Checked, check

Check = Callable[..., Checked]


@pytest.fixture
def checked(tmp_path: Path) -> Check:
    """Stage a frame and check it."""

    def run(frame: pl.DataFrame, asked: Sequence[Expectation], **options: Any) -> Checked:
        file = tmp_path / "rows.parquet"
        frame.with_row_index(ROW, offset=1).with_columns(pl.col(ROW).cast(pl.Int64)).write_parquet(
            file
        )
        return check(str(file), asked, frame.columns, name="shop", **options)

    return run


@pytest.fixture(scope="session")
def oracle() -> Any:
    """The module that stands beside this file (tests are no package)."""
    if "oracle" not in sys.modules:
        file = Path(__file__).with_name("oracle.py")
        spec = importlib.util.spec_from_file_location("oracle", file)
        assert spec
        assert spec.loader
        sys.modules["oracle"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["oracle"])
    return sys.modules["oracle"]
