"""Classes as numbers, for libraries that take no others."""

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class NumberedClasses(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Fit ``estimator`` on 0 … k-1 in place of the classes, and give the classes back."""

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803
        """Number the classes in their sorted order and fit."""
        self.classes_, numbers = np.unique(y, return_inverse=True)
        self.estimator.fit(X, numbers, sample_weight=sample_weight)
        return self

    def predict_proba(self, X: Any) -> Any:  # noqa: N803
        """Return a probability for each of ``classes_``."""
        return self.estimator.predict_proba(X)

    def predict(self, X: Any) -> Any:  # noqa: N803
        """Return the likeliest class."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]
