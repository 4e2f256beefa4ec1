"""Packages as training leaves them behind, small ones, of any object."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import skops.io

from trimtab.serving import answers, loader
from trimtab.types import Candidate, FeatureSet

Pack = Callable[..., Candidate]
ROWS = 50


def rows() -> pl.DataFrame:
    rng = np.random.default_rng(3)
    x = rng.normal(size=ROWS)
    return pl.DataFrame({"x": x, "c": rng.choice(["a", "b"], ROWS), "y": (x > 0).astype(np.int8)})


def pack(
    lake: Path,
    model: Any,
    *,
    estimator: str = "mine",
    files: dict[str, bytes] | None = None,
    answered: bool = True,
    **features: Any,
) -> Candidate:
    """Write a version with a manifest that fits, whatever is in it: somebody has signed it."""
    folder = lake / "models" / "m" / "k"
    folder.mkdir(parents=True)
    data = model if isinstance(model, bytes) else skops.io.dumps(model)
    contents = {"model.skops": data, "model.json": b"{}", **(files or {})}
    used: dict[str, Any] = {"numeric": ("x",), "task": "binary", **features}
    found = FeatureSet(model="m", key="f", uri="f", train_rows=1, holdout_rows=1, **used)
    if "recorded.parquet" not in contents:
        table = rows()
        if answered:
            loaded = loader.built(data, found, "memory", estimator)
            table = table.with_columns(answers.predictions(loaded, table))
        table.write_parquet(folder / "recorded.parquet")
        contents["recorded.parquet"] = (folder / "recorded.parquet").read_bytes()
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    manifest = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return Candidate(
        model="m",
        version=1,
        key="k",
        features=found,
        uri="models/m/k",
        manifest=manifest,
        estimator=estimator,
        params={},
        validation={},
        trials=1,
        config_hash="c",
    )


@pytest.fixture
def packed(tmp_path: Path) -> Pack:
    return lambda model, **more: pack(tmp_path, model, **more)


@pytest.fixture
def frame() -> pd.DataFrame:
    return rows().to_pandas()
