"""Probabilities that mean what they say, learnt on rows the model was not fitted on.

scikit-learn's ``CalibratedClassifierCV`` does the calibrating. It wants folds that cover every
row, which folds by time cannot: nothing older judges the first part. So the scores come from our
own folds (by time, by group or at random), and it is fitted on them as they are.
"""

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV

from trimtab.errors import DataError

ESTIMATOR = "estimator"  # name of a pipeline's last step
_SMALLEST = 1e-12  # probability; a forest says exactly 0


class Scores(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Stand where a model would, for scores that are known already."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803
        """Remember the classes, sorted."""
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, X: Any) -> Any:  # noqa: N803
        """Return the scores as they came: (n,) of two classes, else (n, k)."""
        return X[:, 0] if len(self.classes_) == 2 else X

    def predict(self, X: Any) -> Any:  # noqa: N803
        """Return the class of the best score."""
        best = X[:, 0] > 0 if len(self.classes_) == 2 else X.argmax(axis=1)
        return self.classes_[np.asarray(best, dtype=np.intp)]


class Calibrated(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A fitted ``estimator`` and the ``calibrator`` of its log-odds."""

    def __init__(self, estimator: Any, calibrator: Any) -> None:
        self.estimator = estimator
        self.calibrator = calibrator

    @property
    def classes_(self) -> Any:
        """The columns of the probabilities."""
        return self.calibrator.classes_

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: N803
        """Do nothing: it is made of fitted parts (scikit-learn asks every model for a fit)."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        """Say yes, for the same reason."""
        return True

    def predict_proba(self, X: Any) -> Any:  # noqa: N803
        """Return calibrated probabilities."""
        return self.calibrator.predict_proba(log_odds(self.estimator.predict_proba(X)))

    def predict(self, X: Any) -> Any:  # noqa: N803
        """Return the likeliest class."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def recalibrated(
    model: Any, method: Literal["sigmoid", "isotonic"], frame: Any, y: Any, weights: Any = None
) -> Any:
    """Return a fitted model with a calibration learnt on other rows; one it had is left out.

    Raises:
        DataError: a class does not occur among the rows.
    """
    from sklearn.pipeline import Pipeline

    steps = list(getattr(model, "steps", [(ESTIMATOR, model)]))
    last = steps[-1][1]
    bare = last.estimator if isinstance(last, Calibrated) else last
    plain = Pipeline([*steps[:-1], (ESTIMATOR, bare)])
    made = calibrator(method, plain.classes_, plain.predict_proba(frame), y, weights)
    if len(steps) == 1:
        return Calibrated(bare, made)
    return Pipeline([*steps[:-1], (ESTIMATOR, Calibrated(bare, made))])


def log_odds(chances: Any) -> NDArray[np.float64]:
    """Return log(p / (1 - p)): of the second of two classes (n, 1), else of each (n, k)."""
    chances = np.asarray(chances, dtype=np.float64)
    chances = chances[:, 1:] if chances.shape[1] == 2 else chances
    chances = np.clip(chances, _SMALLEST, 1 - _SMALLEST)
    odds: NDArray[np.float64] = np.log(chances / (1 - chances))
    return odds


def calibrator(
    method: Literal["sigmoid", "isotonic"],
    classes: Any,
    chances: Any,
    y: Any,
    weights: Any = None,
) -> Any:
    """Learn what probabilities of unseen rows are worth; ``classes`` name their columns, sorted.

    Raises:
        DataError: a class does not occur among the rows.
    """
    if missing := sorted(set(np.asarray(classes).tolist()) - set(np.unique(y).tolist())):
        raise DataError(
            f"train.calibrate: {missing} does not occur in the rows that calibrate; "
            "more rows of it help, or calibrate: none"
        )
    everything = np.arange(len(y))
    learner = CalibratedClassifierCV(
        Scores(), method=method, cv=[(everything, everything)], ensemble=False
    )
    learner.fit(log_odds(chances), y, sample_weight=weights)
    return learner.set_params(cv=None)  # the rows' positions are of no use to the model's file
