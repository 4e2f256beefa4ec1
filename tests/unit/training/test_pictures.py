"""Pictures of odd numbers are pictures still, and nothing touches pyplot."""

import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest

from trimtab.training.pictures import calibration, learning, quality, worth
from trimtab.training.pictures.canvas import short
from trimtab.training.shapley import Contributions
from trimtab.types import ColumnImportance, Importance

PNG = b"\x89PNG"
N, WIDE = 200, 45


def importance(columns: int) -> Importance:
    found = [
        ColumnImportance(
            column=f"some_rather_long_name_of_a_feature_${i}",
            permutation=float("nan") if i == 3 else 0.1 - i * 0.01,
            spread=0.01,
            useless=i > 8,
        )
        for i in range(columns)
    ]
    return Importance(model="m", metric="roc_auc", rows=N, repeats=10, columns=tuple(found))


def contributions(columns: int, outputs: int) -> Contributions:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(N, columns)), columns=[f"f{i}" for i in range(columns)])
    frame["f0"] = ["text"] * N
    values = rng.normal(size=(N, columns, outputs))
    values[:, -1] = 0.0  # a feature the model does not use
    names = tuple(f"class {k}" for k in range(outputs)) if outputs > 1 else ()
    base = np.zeros(outputs)
    return Contributions(frame, values, base, values.sum(axis=1), "log-odds", "made up", names)


@pytest.mark.parametrize("columns", [1, 4, WIDE])
def test_importance_of_few_and_many_features(columns: int) -> None:
    assert worth.bars(importance(columns), "roc auc").startswith(PNG)


@pytest.mark.parametrize(("columns", "outputs"), [(2, 1), (WIDE, 1), (WIDE, 12)])
def test_swarms_of_few_and_many_features(columns: int, outputs: int) -> None:
    assert worth.swarm(contributions(columns, outputs)).startswith(PNG)


def test_quality_of_few_rows_constant_answers_and_many_classes() -> None:
    truth, chance = np.array([0, 1, 1, 0]), np.full(4, 0.5)
    for drawn in (quality.roc, quality.precision_recall, calibration.binary):
        assert drawn(truth, chance).startswith(PNG)
    names = np.array([f"a class with a long name {i}" for i in range(20)])
    rng = np.random.default_rng(0)
    chances, said = rng.dirichlet(np.ones(20), N), rng.choice(names[:18], N)
    assert quality.confusion(said, chances, names.tolist()).startswith(PNG)
    assert calibration.multiclass(said, chances, names.tolist()).startswith(PNG)
    assert quality.residuals(np.ones(3), np.ones(3), "delay [minute]").startswith(PNG)
    assert learning.curve((50, 100), (0.9, 0.8), (0.6, 0.7), "r2").startswith(PNG)
    assert "matplotlib.pyplot" not in sys.modules or _no_open_figures()


def _no_open_figures() -> bool:
    pyplot: Any = sys.modules["matplotlib.pyplot"]
    return not pyplot.get_fignums()


def test_long_names_keep_both_ends() -> None:
    assert short("x") == "x"
    told = short("some_rather_long_name_of_a_feature_17")
    assert len(told) <= 28
    assert told.startswith("some_rather")
    assert told.endswith("feature_17")


def test_calibration_bins_hold_every_row_once() -> None:
    said, seen, wide = calibration._bins(np.r_[np.zeros(90), np.ones(10)], np.linspace(0, 1, 100))
    assert len(said) == len(seen) == wide.shape[1] == 6
    assert (wide >= 0).all()
    assert seen[-1] > 0.5
