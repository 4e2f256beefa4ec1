"""Calibration: log-odds, honest folds, and probabilities that mean what they say."""

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss

from trimtab.config.model import Task, Train
from trimtab.errors import DataError
from trimtab.features.pipeline import preprocessor
from trimtab.training import registry
from trimtab.training.calibrate import calibrator, log_odds
from trimtab.training.fit import Fitting, fit, predict
from trimtab.training.split import Data

N = 1500


def how(task: Task, **train: Any) -> Fitting:
    return Fitting(
        task, Train(**train), lambda style: preprocessor(["a", "b"], style=style, task=task)
    )


def rows(task: Task, seed: int = 0) -> Data:
    """Rows with noisy labels; the positive (or last) class is rare."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"a": rng.normal(size=N), "b": rng.normal(size=N)})
    score = frame["a"].to_numpy() + rng.normal(size=N)
    y: Any = (score > 1.5).astype(np.int8)
    if task == "multiclass":
        y = np.where(score < -0.5, "low", np.where(score < 1.5, "mid", "top"))
    return Data(frame, y)


TREES = registry.get("random_forest", "binary")
PARAMS = {"n_estimators": 20, "min_samples_leaf": 1, "max_features": 1.0}  # far too sure


def test_log_odds_are_of_the_second_class_or_of_each() -> None:
    assert log_odds([[0.5, 0.5], [0.25, 0.75]]) == pytest.approx(np.log([[1.0], [3.0]]))
    assert log_odds([[0.2, 0.3, 0.5]]) == pytest.approx(np.log([[0.25, 3 / 7, 1.0]]))
    assert np.isfinite(log_odds([[0.0, 1.0]])).all()


@pytest.mark.parametrize("task", ["binary", "multiclass"])
@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_a_model_that_is_too_sure_is_put_right(
    task: Task, method: Literal["sigmoid", "isotonic"]
) -> None:
    data, new = rows(task), rows(task, seed=1)
    sure = fit(TREES, PARAMS, how(task), data)
    right = fit(TREES, PARAMS, how(task, calibrate=method), data)
    before, after = (log_loss(new.y, predict(m, new.frame, task)) for m in (sure, right))
    assert after < 0.8 * before
    chances = right.predict_proba(new.frame)
    assert chances.sum(axis=1) == pytest.approx(1)
    assert set(right.predict(new.frame)) <= set(right.classes_.tolist())
    assert list(right.classes_) == list(sure.classes_)


def test_after_balancing_probabilities_are_those_of_the_rows() -> None:
    data, new = rows("binary"), rows("binary", seed=1)
    linear = registry.get("linear", "binary")
    skewed = fit(linear, {}, how("binary", balance=True), data)
    right = fit(linear, {}, how("binary", balance=True, calibrate="sigmoid"), data)
    rate = new.y.mean()
    assert predict(skewed, new.frame, "binary").mean() > 2 * rate
    assert predict(right, new.frame, "binary").mean() == pytest.approx(rate, rel=0.15)


def test_by_time_nothing_is_calibrated_on_what_came_before(monkeypatch: pytest.MonkeyPatch) -> None:
    from trimtab.training import split

    seen: list[Any] = []
    folds = split.folds

    def spied(*args: Any) -> Any:
        seen.extend(folds(*args))
        return seen

    monkeypatch.setattr(split, "folds", spied)
    hours = np.arange(N).astype("datetime64[h]")
    fit(TREES, PARAMS, how("binary", calibrate="sigmoid"), replace(rows("binary"), time=hours))
    assert len(seen) == 5
    assert all(hours[fitted].max() < hours[judged].min() for fitted, judged in seen)


def test_a_class_that_never_calibrates_is_an_error() -> None:
    with pytest.raises(DataError, match=r"calibrate: \['c'\] does not occur"):
        calibrator("sigmoid", ["a", "b", "c"], np.full((4, 3), 1 / 3), np.array(list("abab")))
    one = Data(
        rows("binary").frame, np.r_[1, np.zeros(N - 1)], np.arange(N).astype("datetime64[h]")
    )
    with pytest.raises(DataError, match=r"calibrate: \[1.0\] does not occur"):
        fit(TREES, PARAMS, how("binary", calibrate="sigmoid"), one)
