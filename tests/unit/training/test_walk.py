"""Walk-forward: the folds a recipe is judged on, and what is told of them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from trimtab.config.model import Train
from trimtab.errors import DataError
from trimtab.features.pipeline import preprocessor
from trimtab.training import registry
from trimtab.training.fit import Fitting, fit
from trimtab.training.split import Data
from trimtab.training.walk import Fold, Walk, walk

LINEAR = registry.get("linear", "regression")
HOW = Fitting(
    "regression", Train(), lambda style: preprocessor(["x"], style=style, task="regression")
)


def test_a_world_that_turns_over_is_seen_by_time_only() -> None:
    rng, n = np.random.default_rng(0), 600
    x = rng.normal(size=n)
    y = np.where(np.arange(n) < 400, x, -x) + rng.normal(0, 0.1, n)
    still = Data(pd.DataFrame({"x": x}), y)
    hours = np.arange(n).astype("datetime64[h]")
    found = walk(LINEAR, {}, HOW, replace(still, time=hours), "r2", 5)
    scores = [fold.score for fold in found.folds]
    assert len(scores) == 5
    assert min(scores[:3]) > 0.9  # rows up to 400 are alike
    assert scores[3] < -2  # the first fold after the turn
    assert [fold.fitted for fold in found.folds] == [100, 200, 300, 400, 500]
    assert found.folds[3].begins == str(hours[400])
    assert found.mean == pytest.approx(np.mean(scores))
    shuffled = walk(LINEAR, {}, HOW, still, "r2", 5)
    assert shuffled.spread < 0.2 < found.spread


def test_a_group_effect_counts_by_group_only() -> None:
    rng, groups = np.random.default_rng(1), np.repeat(np.arange(40), 10)
    level = rng.normal(size=40)[groups]
    frame = pd.DataFrame({"x": rng.normal(size=400), "who": groups.astype(float)})
    data = Data(frame, level + rng.normal(0, 0.1, 400))
    how = replace(
        HOW, preprocess=lambda style: preprocessor(["x", "who"], style=style, task="regression")
    )
    trees = registry.get("boosted_trees", "regression")
    params = {"min_samples_leaf": 2}
    assert walk(trees, params, how, data, "r2", 4).mean > 0.8
    assert walk(trees, params, how, replace(data, group=groups), "r2", 4).mean < 0.2


def test_what_is_told_is_json() -> None:
    found = Walk("r2", (Fold(10, 5, 0.5), Fold(15, 5, np.nan)))
    assert found.numbers() == {"fold_1": 0.5}
    assert found.description()["folds"][1]["score"] is None
    assert "r2 nan" in str(found)
    assert Walk("r2", ()).numbers() == {}


def test_a_second_class_may_come_late() -> None:
    rng, n = np.random.default_rng(0), 400
    x = rng.normal(size=n)
    y = np.where(np.arange(n) < 200, 0, (x > 0).astype(int))
    data = Data(pd.DataFrame({"x": x}), y, time=np.arange(n).astype("datetime64[h]"))
    linear = registry.get("linear", "binary")
    preprocess = lambda style: preprocessor(["x"], style=style)  # noqa: E731
    how = Fitting("binary", Train(calibrate="sigmoid"), preprocess)
    found = walk(linear, {}, replace(how, train=Train()), data, "roc_auc", 4)
    assert [fold.fitted for fold in found.folds] == [240, 320]
    assert fit(linear, {}, how, data).predict_proba(data.frame).shape == (n, 2)
    with pytest.raises(DataError, match="no part of the rows has two classes"):
        fit(linear, {}, how, replace(data, time=np.ones(n).astype("datetime64[h]")))
