"""Numbers inside models: sound ones of every family pass, one planted NaN is found by its place."""

import copy
from typing import Any

import numpy as np
import pytest

from trimtab.evaluation import health
from trimtab.training.unwrap import take_apart

FAMILIES = ("boosted_trees", "dummy", "lightgbm", "linear", "random_forest", "xgboost")


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("family", FAMILIES)
def test_sound_models_pass(trained: Any, family: str, task: Any) -> None:
    told = health.rule(trained(family, task)[0])
    assert told.passed, told.reason


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_sound_calibrated_models_pass(trained: Any, method: str) -> None:
    told = health.rule(trained("boosted_trees", calibrate=method)[0])
    assert told.passed, told.reason


def linear(model: Any) -> None:
    model.coef_[0, 0] = np.inf


def forest(model: Any) -> None:
    model.estimators_[3].tree_.value[0] = np.nan


def boosted(model: Any) -> None:
    model._predictors[2][0].nodes["value"][1] = np.nan


def start(model: Any) -> None:
    model._baseline_prediction[:] = np.nan


@pytest.mark.parametrize(
    ("family", "plant", "place"),
    [
        ("linear", linear, "coef_"),
        ("random_forest", forest, "estimators_[3].tree_.value"),
        ("boosted_trees", boosted, "_predictors[2][0].nodes.value"),
        ("boosted_trees", start, "_baseline_prediction"),
    ],
)
def test_a_planted_number_is_found_by_its_place(
    trained: Any, family: str, plant: Any, place: str
) -> None:
    model = copy.deepcopy(trained(family)[0])
    plant(take_apart(model.pipeline).estimator)
    told = health.rule(model)
    assert (told.passed, told.decides, told.name) == (False, "reject", "numerical_health")
    assert told.value == 1
    assert place in told.reason


@pytest.mark.parametrize("family", ["lightgbm", "xgboost"])
def test_a_planted_leaf_of_a_booster_is_found(trained: Any, family: str) -> None:
    class Booster:
        """Stands where the library's would, with one leaf more."""

        def __init__(self, real: Any) -> None:
            self.real = real

    def text(self: Any) -> str:
        return str(self.real.model_to_string()) + "\nleaf_value=0.1 nan 0.3\n"

    def dump(self: Any) -> list[str]:
        return [*self.real.get_dump(), "0:leaf=nan\n"]

    name, method = ("model_to_string", text) if family == "lightgbm" else ("get_dump", dump)
    setattr(Booster, name, method)
    model = copy.deepcopy(trained(family)[0])
    estimator = take_apart(model.pipeline).estimator
    estimator._Booster = Booster(estimator._Booster)
    told = health.rule(model)
    assert not told.passed
    assert "_Booster (leaves)" in told.reason


def test_a_preprocessing_that_learnt_infinity_is_found(trained: Any) -> None:
    model = copy.deepcopy(trained("linear")[0])
    model.pipeline.named_steps["preprocess"].named_transformers_["number"][-1].scale_[0] = np.nan
    assert "scale_" in health.rule(model).reason


def test_answers_must_vary() -> None:
    assert health.varied(np.array([0.2, 0.2, 0.3])).passed
    told = health.varied(np.full(9, 0.25))
    assert not told.passed
    assert "says 0.25 of every row" in told.reason
    assert not health.varied(np.tile([0.2, 0.8], (5, 1))).passed
    assert health.varied(np.array([[0.2, 0.8], [0.3, 0.7]])).passed
