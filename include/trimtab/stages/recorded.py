"""The rows a version remembers its predictions of, and what a model predicts for them."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trimtab.serving.loader import LoadedModel
from trimtab.types import ROLE, FeatureSet

MOST = 1000  # rows of each side of the split
PREDICTION = "_prediction"


def recorded(
    rows: pl.DataFrame, features: FeatureSet, names: Sequence[str], model: LoadedModel
) -> bytes:
    """Return ``recorded.parquet``: evenly spaced hold-out and training rows with predictions.

    ``names`` identify a row (key, time). The model is the packaged one, as it will be served.
    """
    chosen = pl.concat(
        [_spaced(rows.filter(pl.col(ROLE) == side)) for side in ("train", "holdout")]
    )
    kept = chosen.select(list(dict.fromkeys([*names, ROLE, *features.features])))
    buffer = io.BytesIO()
    kept.with_columns(predictions(model, kept)).write_parquet(buffer)
    return buffer.getvalue()


def predictions(model: LoadedModel, rows: pl.DataFrame) -> list[pl.Series]:
    """Predict rows at full precision: ``_prediction``, or one column for each class."""
    found = model.predict(rows.to_pandas())
    if found.ndim == 1:
        return [pl.Series(PREDICTION, found)]
    return [pl.Series(f"{PREDICTION}_{i}", found[:, i]) for i in range(found.shape[1])]


def difference(one: Sequence[pl.Series], other: Sequence[pl.Series]) -> float:
    """Largest absolute difference of two predictions; infinite when they cannot be compared."""
    if [s.name for s in one] != [s.name for s in other] or len(one[0]) != len(other[0]):
        return float("inf")
    apart = [_apart(a.to_numpy(), b.to_numpy()) for a, b in zip(one, other, strict=True)]
    return max(apart, default=0.0)


def _spaced(rows: pl.DataFrame) -> pl.DataFrame:
    if rows.height <= MOST:
        return rows
    return rows[np.linspace(0, rows.height - 1, MOST).round().astype(int).tolist()]


def _apart(one: NDArray[Any], other: NDArray[Any]) -> float:
    both_missing = np.isnan(one) & np.isnan(other)
    apart = np.where(both_missing, 0.0, np.abs(one - other))
    return float("inf") if np.isnan(apart).any() else float(apart.max(initial=0.0))
