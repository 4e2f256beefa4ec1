"""What a fitted model is made of: preprocessing, the estimator that scores, what lies around it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from trimtab.config.model import Task
from trimtab.types import Scale


@dataclass(frozen=True)
class Anatomy:
    """A model taken apart. ``steps`` turn raw rows into what ``estimator`` takes."""

    steps: tuple[Any, ...]
    estimator: Any
    calibrated: bool = False

    @property
    def name(self) -> str:
        """The estimator's class."""
        return type(self.estimator).__name__

    def transform(self, frame: pd.DataFrame) -> Any:
        """Return the rows as the estimator sees them; dense or sparse."""
        made: Any = frame
        for step in self.steps:
            made = step.transform(made)
        return made


def take_apart(model: Any) -> Anatomy:
    """Return the estimator inside pipelines, calibration and frozen models."""
    steps: list[Any] = []
    calibrated = False
    while True:
        if hasattr(model, "steps"):
            steps += [step for _, step in model.steps[:-1] if step not in (None, "passthrough")]
            model = model.steps[-1][1]
        elif len(getattr(model, "calibrated_classifiers_", ())) == 1:
            model, calibrated = model.calibrated_classifiers_[0].estimator, True
        elif type(model).__name__ == "FrozenEstimator" or _ours(model):
            calibrated = calibrated or hasattr(model, "calibrator")
            model = model.estimator
        else:
            return Anatomy(tuple(steps), model, calibrated)


def _ours(model: Any) -> bool:
    """Whether it is one of trimtab's own models around an estimator."""
    return type(model).__module__.startswith("trimtab.") and hasattr(model, "estimator")


def raw_scores(estimator: Any, made: Any, task: Task) -> tuple[NDArray[np.floating], Scale]:
    """Return what an estimator adds up, (n, outputs), before any link, and its scale.

    One output for numbers and two classes, else one for each class.
    """
    scale: Scale = "log-odds"
    library = type(estimator).__module__.partition(".")[0]
    if task == "regression":
        scores, scale = estimator.predict(made), "value"
    elif library == "lightgbm":
        scores = estimator.predict(made, raw_score=True)
    elif library == "xgboost":
        scores = estimator.predict(made, output_margin=True)
    elif hasattr(estimator, "decision_function"):
        scores = estimator.decision_function(made)
    else:
        scores, scale = estimator.predict_proba(made), "probability"
    scores = np.asarray(scores)
    if scores.ndim == 2 and scores.shape[1] == 2:
        scores = scores[:, 1]
    return scores.reshape(len(scores), -1), scale
