"""The loader refuses changed bytes and foreign types, whatever the file says about itself."""

import functools
import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from trimtab.errors import DataError, IntegrityError
from trimtab.serving import loader
from trimtab.types import Candidate, FeatureSet


def packaged(lake: Path, model: Any, **features: Any) -> Candidate:
    folder = lake / "models" / "m" / "k"
    folder.mkdir(parents=True)
    (folder / "model.skops").write_bytes(skops.io.dumps(model))
    sha = hashlib.sha256((folder / "model.skops").read_bytes()).hexdigest()
    used: dict[str, Any] = {"numeric": ("x",), "task": "binary", **features}
    return Candidate(
        model="m",
        version=1,
        key="k",
        features=FeatureSet(model="m", key="f", uri="f", train_rows=1, holdout_rows=1, **used),
        uri="models/m/k",
        manifest={"model.skops": sha},
        estimator="dummy",
        params={},
        validation={},
        trials=1,
        config_hash="c",
    )


def fitted() -> Any:
    x = pd.DataFrame({"x": [1.0, 2.0, 3.0]})
    return make_pipeline(DummyClassifier(strategy="prior")).fit(x, np.array([0, 1, 1]))


def test_loads_and_predicts_the_positive_class(tmp_path: Path) -> None:
    loaded = loader.load(tmp_path, packaged(tmp_path, fitted()))
    assert loaded.predict(pd.DataFrame({"x": ["1", None], "more": 1})).tolist() == [2 / 3, 2 / 3]


def test_one_changed_byte_is_refused(tmp_path: Path) -> None:
    candidate = packaged(tmp_path, fitted())
    file = tmp_path / candidate.uri / "model.skops"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(IntegrityError, match=r"m version 1: .*the ledger says"):
        loader.load(tmp_path, candidate)
    with pytest.raises(IntegrityError, match="the ledger says"):
        loader.verify(tmp_path, candidate)


def test_a_missing_or_unlisted_file_is_refused(tmp_path: Path) -> None:
    candidate = packaged(tmp_path, fitted())
    with pytest.raises(IntegrityError, match="not in the version's manifest"):
        loader.load(tmp_path, candidate, "baseline_dummy")
    (tmp_path / candidate.uri / "model.skops").unlink()
    with pytest.raises(IntegrityError, match="cannot be read"):
        loader.load(tmp_path, candidate)


@pytest.mark.parametrize(
    "evil",
    [
        functools.partial(os.system, "touch owned"),
        make_pipeline(FunctionTransformer(os.system), DummyClassifier()),
    ],
    ids=["partial", "in a pipeline"],
)
def test_foreign_types_are_refused_by_name(tmp_path: Path, evil: Any) -> None:
    candidate = packaged(tmp_path, evil)  # with a manifest that fits: somebody signed it
    with pytest.raises(IntegrityError, match=r"holds .*posix\.system"):
        loader.load(tmp_path, candidate)


def test_what_is_no_archive_is_refused() -> None:
    with pytest.raises(IntegrityError, match="is no model"):
        loader.loads(b"\x80\x04cposix\nsystem\n(S'id'\ntR.", "model.skops")


def test_missing_columns_are_named_together(tmp_path: Path) -> None:
    loaded = loader.load(tmp_path, packaged(tmp_path, fitted(), categorical=("c",)))
    with pytest.raises(DataError, match=r"2 feature column\(s\) are missing: x, c"):
        loaded.predict(pd.DataFrame({"y": [1]}))


def test_wrong_types_are_named_together(tmp_path: Path) -> None:
    loaded = loader.load(tmp_path, packaged(tmp_path, fitted(), temporal=("t",)))
    with pytest.raises(DataError, match=r"x is no number.*t is no time"):
        loaded.predict(pd.DataFrame({"x": ["far"], "t": ["soon"]}))
