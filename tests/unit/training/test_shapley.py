"""Contributions sum to the score, or there are none."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline

from trimtab.config.model import Task, Train
from trimtab.errors import AdditivityError
from trimtab.features.pipeline import origins, preprocessor
from trimtab.training import registry, shapley
from trimtab.training.fit import Fitting, fit, predict
from trimtab.training.registry import TASKS
from trimtab.training.split import Data

N, EXPLAINED = 600, 80
COLUMNS = ["x", "x_2", "c", "at"]


def world(task: Task) -> Data:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "x": np.where(rng.random(N) < 0.1, np.nan, rng.normal(size=N)),
            "x_2": rng.normal(size=N),
            "c": pd.Series(rng.choice(list("abcd"), N)).where(rng.random(N) > 0.1),
            "at": pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(np.arange(N), unit="h"),
        }
    )
    signal = frame["x"].fillna(0).to_numpy() + 2 * (frame["c"] == "a").to_numpy()
    y: Any = {
        "binary": (signal + rng.normal(0, 0.5, N) > 0.5).astype(np.int8),
        "multiclass": np.where(signal < 0, "low", np.where(signal < 1, "mid", "top")),
        "regression": signal,
    }[task]
    return Data(frame, y)


def fitted(name: str, task: Task, data: Data) -> Any:
    how = Fitting(
        task, Train(), lambda style: preprocessor(["x", "x_2"], ["c"], ["at"], style=style)
    )
    family = registry.get(name, task)
    params = {
        **family.defaults,
        **({"n_estimators": 10} if "n_estimators" in family.defaults else {}),
    }
    return fit(family, params, how, data)


def told(model: Any, data: Data, task: Task) -> Any:
    rows = data.frame.iloc[:EXPLAINED]
    return shapley.fast(
        model, rows, task, origins(model.named_steps["preprocess"]), lambda: data.frame
    )


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", ["linear", "random_forest", "boosted_trees"])
def test_contributions_of_raw_columns_sum_to_the_score(name: str, task: Task) -> None:
    data = world(task)
    model = fitted(name, task, data)
    found = told(model, data, task)
    assert list(found.frame.columns) == COLUMNS
    outputs = 3 if task == "multiclass" else 1
    assert found.values.shape == (EXPLAINED, 4, outputs)
    assert found.outputs == (("low", "mid", "top") if task == "multiclass" else ())
    summed = found.base + found.values.sum(axis=1)
    assert summed == pytest.approx(found.score, rel=1e-6, abs=1e-6)
    chance = predict(model, found.frame, task).reshape(EXPLAINED, -1)
    if found.scale == "log-odds" and task == "binary":
        chance = np.log(chance / (1 - chance))
    if found.scale != "log-odds" or task == "binary":
        assert summed == pytest.approx(chance, rel=1e-5, abs=1e-5)
    else:  # softmax of the scores
        odds = np.exp(summed)
        assert odds / odds.sum(axis=1, keepdims=True) == pytest.approx(chance, abs=1e-6)
    worth = np.abs(found.values).mean(axis=(0, 2))
    assert worth[0] > 3 * worth[1]
    assert worth[2] > 3 * worth[1]


@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
@pytest.mark.parametrize("task", TASKS)
def test_the_other_libraries_trees_sum_too(library: str, task: Task) -> None:
    module = pytest.importorskip(library)
    data, kind = world(task), "Regressor" if task == "regression" else "Classifier"
    estimator = getattr(module, ("LGBM" if library == "lightgbm" else "XGB") + kind)(
        n_estimators=20
    )
    y = np.unique(data.y, return_inverse=True)[1] if task == "multiclass" else data.y
    step = preprocessor(["x", "x_2"], ["c"], ["at"], style="tree")
    model = Pipeline([("preprocess", step), ("estimator", estimator)]).fit(data.frame, y)
    found = told(model, data, task)
    assert found.values.shape == (EXPLAINED, 4, 3 if task == "multiclass" else 1)
    assert found.base + found.values.sum(axis=1) == pytest.approx(found.score, rel=1e-4, abs=1e-4)


def native() -> tuple[Any, Data]:
    """The case SHAP is silently wrong on."""
    data = world("binary")
    step = preprocessor(["x", "x_2"], ["c"], [], style="tree")
    estimator = HistGradientBoostingClassifier(categorical_features=[2], max_iter=20)
    model = Pipeline([("preprocess", step), ("estimator", estimator)])
    data = Data(data.frame[["x", "x_2", "c"]], data.y)
    return model.fit(data.frame, data.y), data


def test_native_categories_of_histogram_boosting_are_refused_by_name() -> None:
    model, data = native()
    with pytest.raises(AdditivityError, match=r"HistGradientBoostingClassifier.*do not sum"):
        told(model, data, "binary")


def neighbours() -> tuple[Any, Data]:
    """A model SHAP has no exact method for."""
    data = world("binary")
    data = Data(data.frame[["x_2"]].assign(x=data.frame["x"].fillna(0)), data.y)
    return KNeighborsClassifier(9).fit(data.frame, data.y), data


@pytest.mark.parametrize("make", [native, neighbours])
def test_any_model_gets_sampled_values_that_sum_exactly(make: Any) -> None:
    model, data = make()
    row = data.frame[data.frame["x"] > 2].head(1)
    found = shapley.sampled(model, row, "binary", data.frame, seed=0)
    summed = found.base + found.values.sum(axis=1)
    assert summed == pytest.approx(predict(model, row, "binary").reshape(1, 1), abs=1e-9)
    assert found.scale == "probability"
    again = shapley.sampled(model, row, "binary", data.frame, seed=0)
    assert np.array_equal(again.values, found.values)
    worth = dict(zip(row.columns, np.abs(found.values[0, :, 0]), strict=True))
    assert worth["x"] > 2 * worth["x_2"]


def test_sampled_values_know_several_classes() -> None:
    data = world("multiclass")
    found = shapley.sampled(
        fitted("linear", "multiclass", data), data.frame.iloc[:2], "multiclass", data.frame, seed=1
    )
    assert found.values.shape == (2, 4, 3)
    assert found.outputs == ("low", "mid", "top")


def test_of_a_calibrated_model_the_estimator_inside_is_explained() -> None:
    data = world("binary")
    plain = fitted("boosted_trees", "binary", data)
    step, estimator = plain.named_steps.values()
    made = step.transform(data.frame)
    outer = CalibratedClassifierCV(FrozenEstimator(estimator)).fit(made, data.y)
    model = Pipeline([("preprocess", step), ("estimator", outer)])
    found = told(model, data, "binary")
    assert found.method.endswith("of the HistGradientBoostingClassifier before calibration")
    assert np.array_equal(found.values, told(plain, data, "binary").values)


def test_trees_too_large_and_unknown_models_say_why(monkeypatch: pytest.MonkeyPatch) -> None:
    data = world("binary")
    model = fitted("random_forest", "binary", data)
    monkeypatch.setattr(shapley, "_WORK", 1e4)
    assert told(model, data, "binary") == "the trees of this RandomForestClassifier are too large"
    monkeypatch.setattr(shapley, "_WORK", 3e6)
    monkeypatch.setattr(shapley, "_FEW", 5)
    some = told(model, data, "binary")
    assert 5 <= len(some.values) == len(some.frame) < EXPLAINED
    knn = Pipeline(
        [("preprocess", model.named_steps["preprocess"]), ("estimator", KNeighborsClassifier())]
    )
    numbers = Data(data.frame.assign(x=0.0, c="a"), data.y)
    knn.named_steps["estimator"].fit(knn[0].transform(numbers.frame), numbers.y)
    assert told(knn, numbers, "binary") == "there is no exact method for KNeighborsClassifier"


def test_sums_that_are_no_numbers_do_not_pass() -> None:
    data = world("binary")
    found = told(fitted("linear", "binary", data), data, "binary")
    found.values[0, 0, 0] = np.nan
    with pytest.raises(AdditivityError, match="a model"):
        shapley.checked(found, "a model")
