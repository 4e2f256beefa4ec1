"""The contract's expressions on a real local Spark say what they say on Polars.

uv run --all-extras pytest tests/integration/test_spark_validation.py -m integration
"""

import random
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from trimtab.adapters.gx import Expectation
from trimtab.validation import compiled
from trimtab.validation.check import check

ORACLE = Path(__file__).parent.parent / "unit" / "validation" / "oracle.py"


@pytest.fixture(scope="module")
def oracle() -> Any:
    if "oracle" not in sys.modules:
        spec = spec_from_file_location("oracle", ORACLE)
        assert spec
        assert spec.loader
        sys.modules["oracle"] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules["oracle"])
    return sys.modules["oracle"]


def plain(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


@pytest.mark.integration
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(200, 206))
def test_spark_agrees_with_polars(tmp_path: Path, oracle: Any, seed: int) -> None:
    rng = random.Random(seed)
    frame = oracle.table(rng)
    asked = list(oracle.expectations(rng, compiled.names()))
    file = tmp_path / "rows.parquet"
    frame.write_parquet(file)
    polars, spark = (
        check(str(file), asked, frame.columns, name="shop", engine=engine)
        for engine in ("polars", "spark")
    )
    for ours, theirs in zip(polars.results, spark.results, strict=True):
        left, right = ours.to_json(), theirs.to_json()
        if ours.unexpected:  # which rows are shown as examples is any engine's own choice
            del left["observed"], right["observed"]
        assert plain(left) == plain(right), seed


@pytest.mark.integration
def test_spark_estimates_different_values(tmp_path: Path, oracle: Any) -> None:
    file = tmp_path / "rows.parquet"
    frame = oracle.table(random.Random(200))
    frame.write_parquet(file)
    kind = "expect_column_unique_value_count_to_be_between"
    asked: list[Expectation] = [
        {"type": kind, "kwargs": {"column": "i"}, "severity": "block", "exact": False}
    ]
    found = check(str(file), asked, frame.columns, name="shop", engine="spark").results[0]
    assert abs(found.observed - frame["i"].drop_nulls().n_unique()) <= 1
