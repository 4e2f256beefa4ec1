"""One fit, the same for every trial, refit and rebuild: preprocessing and estimator."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from trimtab.config.model import Task, Train
from trimtab.training import split
from trimtab.training.registry import Estimator
from trimtab.training.split import Data, Rows

Preprocess = Callable[[Literal["linear", "tree"]], Any]


@dataclass(frozen=True)
class Fitting:
    """How the models of one training are fitted, apart from family and parameters."""

    task: Task
    train: Train
    preprocess: Preprocess


def fit(
    family: Estimator, params: dict[str, Any], how: Fitting, data: Data, rows: Rows | None = None
) -> Any:
    """Fit preprocessing and estimator in one pipeline on ``rows`` (default: all, bounded)."""
    from sklearn.pipeline import Pipeline

    seed = how.train.seed
    rows = split.sample(np.arange(len(data.y)) if rows is None else rows, family.max_rows, seed)
    steps = [
        ("preprocess", how.preprocess(family.style)),
        ("estimator", family.build(how.task, seed, **params)),
    ]
    made = Pipeline(steps).fit(data.frame.iloc[rows], data.y[rows])
    one_thread(made.named_steps["estimator"])
    return made


def one_thread(model: Any) -> Any:
    """Let a fitted model predict on one thread: a forest's threads sum in any order."""
    return model.set_params(n_jobs=None) if "n_jobs" in model.get_params(deep=False) else model


def fitted_rows(family: Estimator, total: int) -> int:
    """Return how many of ``total`` rows a full fit of this family uses."""
    return min(total, family.max_rows or total)


def predict(model: Any, frame: Any, task: Task) -> Any:
    """Predict like a loaded model: P(1), class probabilities, or numbers."""
    if task == "regression":
        return model.predict(frame)
    chances = model.predict_proba(frame)
    if task == "multiclass":
        return chances
    classes = list(model.classes_)
    return chances[:, classes.index(1)] if 1 in classes else np.zeros(len(frame))
