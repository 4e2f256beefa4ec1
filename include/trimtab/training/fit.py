"""One fit, the same for every trial, refit and rebuild: preprocessing and estimator."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from trimtab import metrics
from trimtab.config.model import Task, Train
from trimtab.errors import DataError, TrimtabError
from trimtab.training import function, split, weights
from trimtab.training.registry import Estimator
from trimtab.training.split import Data, Rows
from trimtab.training.unwrap import take_apart
from trimtab.training.weights import Weights

Preprocess = Callable[[Literal["linear", "tree"]], Any]
_CALIBRATION_FOLDS = 5


@dataclass(frozen=True)
class Fitting:
    """How the models of one training are fitted, apart from family and parameters."""

    task: Task
    train: Train
    preprocess: Preprocess


def fit(
    family: Estimator, params: dict[str, Any], how: Fitting, data: Data, rows: Rows | None = None
) -> Any:
    """Fit preprocessing and estimator in one pipeline on ``rows`` (default: all, bounded).

    With weights and, of a classifier, calibration as the model file says. The parts of a
    calibrated pipeline are what they are without; its last step is a `Calibrated`.

    Raises:
        DataError: the weights are none, or a class is too rare to be calibrated.
        TrimtabError: the family takes no weights, or the user's function gave no usable model.
    """
    rows = np.arange(len(data.y)) if rows is None else rows
    rows = split.sample(rows, family.max_rows, how.train.seed)
    model = uncalibrated(family, params, how, data, rows)
    if how.train.calibrate == "none" or not family.calibrates or how.task == "regression":
        return model
    return _calibrated(model, family, params, how, data, rows)


def uncalibrated(
    family: Estimator, params: dict[str, Any], how: Fitting, data: Data, rows: Rows
) -> Any:
    """Fit a model on all of ``rows``, weighted; its probabilities are the estimator's own."""
    from sklearn.pipeline import Pipeline

    if family.function is not None:
        return function.call(family.name, family.function, how.task, how.train, data, rows)
    step = how.preprocess(family.style)
    made = step.fit_transform(data.frame.iloc[rows], data.y[rows])
    estimator = family.build(how.task, how.train.seed, **params)
    learn(family, estimator, how, made, data, rows)
    return Pipeline([("preprocess", step), ("estimator", one_thread(estimator))])


def learn(family: Estimator, model: Any, how: Fitting, made: Any, data: Data, rows: Rows) -> Any:
    """Fit a built estimator, weighted, on what preprocessing made of ``rows``.

    Raises:
        TrimtabError: there are weights and the estimator takes none.
    """
    weight = row_weights(how, data, rows)
    if weight is None:
        return model.fit(made, data.y[rows])
    if "sample_weight" not in inspect.signature(model.fit).parameters:
        raise TrimtabError(
            f"estimator {family.name} takes no weights; take it out of train.candidates, "
            "or take out train.weight and train.balance"
        )
    return model.fit(made, data.y[rows], sample_weight=weight)


def can_learn(task: Task, data: Data, rows: Rows) -> bool:
    """Whether ``rows`` hold two classes; the first rows in time may not have a second yet."""
    return task == "regression" or len(np.unique(data.y[rows])) > 1


def row_weights(how: Fitting, data: Data, rows: Rows) -> Weights | None:
    """Return how much each of ``rows`` counts, 1 on average; None when all count alike."""
    return weights.total(how.train, data, rows)


def _calibrated(
    model: Any, family: Estimator, params: dict[str, Any], how: Fitting, data: Data, rows: Rows
) -> Any:
    """Calibrate by the user's weights alone, so that probabilities are right after balancing."""
    from sklearn.pipeline import Pipeline

    from trimtab.training.calibrate import Calibrated, calibrator

    chances, judged = [], []
    for fitted, left in split.folds(data, _CALIBRATION_FOLDS, how.train.seed, rows):
        if not can_learn(how.task, data, fitted):
            continue
        part = uncalibrated(family, params, how, data, fitted)
        chances.append(_aligned(part, data.frame.iloc[left], model.classes_))
        judged.append(left)
    if not judged:
        raise DataError(
            "train.calibrate: no part of the rows has two classes and a later or other part to "
            "judge; more rows help, or calibrate: none"
        )
    seen = np.concatenate(judged)
    made = calibrator(
        how.train.calibrate,  # type: ignore[arg-type] # none was asked before
        model.classes_,
        np.vstack(chances),
        data.y[seen],
        weights.own(how.train, data, seen),
    )
    if family.function is not None:
        return Calibrated(model, made)
    steps = [*model.steps[:-1], ("estimator", Calibrated(model.steps[-1][1], made))]
    return Pipeline(steps)


def _aligned(part: Any, frame: Any, classes: Any) -> Any:
    """Return a fold's probabilities in the columns of ``classes``; one it has not seen gets 0."""
    columns = {label: i for i, label in enumerate(np.asarray(classes).tolist())}
    found = np.zeros((len(frame), len(columns)))
    found[:, [columns[label] for label in np.asarray(part.classes_).tolist()]] = part.predict_proba(
        frame
    )
    return found


def one_thread(model: Any) -> Any:
    """Let a fitted model predict on one thread: a forest's threads sum in any order."""
    inner = take_apart(model).estimator
    if "n_jobs" in inner.get_params(deep=False):
        inner.set_params(n_jobs=None if type(inner).__module__.startswith("sklearn.") else 1)
    return model


def fitted_rows(family: Estimator, total: int) -> int:
    """Return how many of ``total`` rows a full fit of this family uses."""
    return min(total, family.max_rows or total)


def scores(
    model: Any, data: Data, rows: Rows, task: Task, names: Sequence[str]
) -> dict[str, float]:
    """Score a fitted model on ``rows`` by several metrics; it predicts once."""
    prediction = predict(model, data.frame.iloc[rows], task)
    classes, y = getattr(model, "classes_", None), data.y[rows]
    return {name: metrics.score(name, y, prediction, classes) for name in names}


def predict(model: Any, frame: Any, task: Task) -> Any:
    """Predict like a loaded model: P(1), class probabilities, or numbers."""
    if task == "regression":
        return model.predict(frame)
    chances = model.predict_proba(frame)
    if task == "multiclass":
        return chances
    classes = list(model.classes_)
    return chances[:, classes.index(1)] if 1 in classes else np.zeros(len(frame))
