"""What a model answers, and how far two answers to the same rows lie apart."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trimtab.serving.loader import LoadedModel

PREDICTION = "_prediction"


def predictions(model: LoadedModel, rows: pl.DataFrame) -> list[pl.Series]:
    """Predict rows at full precision: ``_prediction``, or one column for each class."""
    found = model.predict(rows.to_pandas())
    if found.ndim == 1:
        return [pl.Series(PREDICTION, found)]
    return [pl.Series(f"{PREDICTION}_{i}", found[:, i]) for i in range(found.shape[1])]


def remembered(rows: pl.DataFrame) -> list[pl.Series]:
    """Return the predictions that were written down beside recorded rows."""
    return [rows[name] for name in rows.columns if name.startswith(PREDICTION)]


def difference(one: Sequence[pl.Series], other: Sequence[pl.Series]) -> float:
    """Largest absolute difference of two predictions; infinite when they cannot be compared."""
    if not one or [s.name for s in one] != [s.name for s in other] or len(one[0]) != len(other[0]):
        return float("inf")
    apart = [_apart(a.to_numpy(), b.to_numpy()) for a, b in zip(one, other, strict=True)]
    return max(apart, default=0.0)


def _apart(one: NDArray[Any], other: NDArray[Any]) -> float:
    both_missing = np.isnan(one) & np.isnan(other)
    apart = np.where(both_missing, 0.0, np.abs(one - other))
    return float("inf") if np.isnan(apart).any() else float(apart.max(initial=0.0))
