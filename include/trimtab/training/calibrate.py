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
from sklearn.frozen import FrozenEstimator

from trimtab.errors import DataError

_SMALLEST = 1e-12  # probability; a forest says exactly 0


class Scores(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Stand where a model would, for scores that are known already."""

    def __init__(self, classes: Any = None) -> None:
        self.classes = classes

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: N803 scikit-learn's name
        """Remember the classes."""
        self.classes_ = np.asarray(self.classes)
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
        return self.estimator.classes_

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
    """Learn what probabilities of unseen rows, in the order of ``classes``, are worth.

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
        FrozenEstimator(Scores(np.asarray(classes).tolist()).fit(None)),
        method=method,
        cv=[(everything, everything)],
        ensemble=False,
    )
    learner.fit(log_odds(chances), y, sample_weight=weights)
    return learner.set_params(cv=None)  # the rows' positions are of no use to the model's file
