"""The rows a version remembers its predictions of, and what a model predicts for them."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trimtab.environment import Environment
from trimtab.serving.loader import LoadedModel
from trimtab.types import ROLE, FeatureSet

MOST = 1000  # rows of each side of the split
PREDICTION = "_prediction"
_INDEX = "_index"


def recorded(
    env: Environment, features: FeatureSet, names: Sequence[str], model: LoadedModel
) -> bytes:
    """Return ``recorded.parquet``: evenly spaced training and hold-out rows with predictions.

    ``names`` identify a row (key, time). The model is the packaged one, as it will be served.
    """
    table = pl.scan_parquet(env.lake / features.uri).with_row_index(_INDEX)
    roles = table.select(_INDEX, ROLE).collect()
    sides = [roles.filter(pl.col(ROLE) == side)[_INDEX] for side in ("train", "holdout")]
    chosen = pl.concat([_spaced(side) for side in sides])
    kept = table.filter(pl.col(_INDEX).is_in(chosen.implode()))
    rows = kept.select(list(dict.fromkeys([*names, ROLE, *features.features]))).collect()
    buffer = io.BytesIO()
    rows.with_columns(predictions(model, rows)).write_parquet(buffer)
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


def _spaced(positions: pl.Series) -> pl.Series:
    if len(positions) <= MOST:
        return positions
    return positions.gather(np.linspace(0, len(positions) - 1, MOST).round().astype(np.int64))


def _apart(one: NDArray[Any], other: NDArray[Any]) -> float:
    both_missing = np.isnan(one) & np.isnan(other)
    apart = np.where(both_missing, 0.0, np.abs(one - other))
    return float("inf") if np.isnan(apart).any() else float(apart.max(initial=0.0))
