"""How much each row counts in a fit: the user's column of weights, and classes alike."""

import numpy as np
from numpy.typing import NDArray

from trimtab.config.model import Train
from trimtab.errors import DataError
from trimtab.training.split import Data, Rows

Weights = NDArray[np.float64]


def own(train: Train, data: Data, rows: Rows) -> Weights | None:
    """Return the user's weights of ``rows`` (``train.weight``); None when there are none.

    Raises:
        DataError: a weight is missing, negative or infinite, or all are zero.
    """
    if train.weight is None or data.weight is None:
        return None
    bad = ~(np.isfinite(data.weight) & (data.weight >= 0))
    if bad.any() or not data.weight.any():
        what = f"{bad.sum():,} of {len(bad):,} are not" if bad.any() else "all are zero, none is"
        raise DataError(
            f"train.weight: column {train.weight} must hold numbers of at least 0, some of them "
            f"above it; {what}: correct the column, or fill it with 1"
        )
    found: Weights = data.weight[rows]
    return found


def total(train: Train, data: Data, rows: Rows) -> Weights | None:
    """Return the weights of a fit, 1 on average: the user's, times what makes classes count alike.

    After ``train.balance`` the weights of every class have one sum (scikit-learn's "balanced").
    """
    weights = own(train, data, rows)
    if train.balance:
        weights = np.ones(len(rows)) if weights is None else weights
        _, member = np.unique(data.y[rows], return_inverse=True)
        sums = np.bincount(member, weights)
        weights = weights / np.where(sums > 0, sums, 1)[member]
    if weights is None or not weights.any():
        return None
    return np.asarray(weights / weights.mean())
