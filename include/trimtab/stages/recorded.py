"""The rows a version remembers its predictions of."""

import io
from collections.abc import Sequence

import numpy as np
import polars as pl

from trimtab.environment import Environment
from trimtab.serving.answers import predictions
from trimtab.serving.loader import LoadedModel
from trimtab.types import ROLE, FeatureSet

MOST = 1000  # rows of each side of the split
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


def _spaced(positions: pl.Series) -> pl.Series:
    if len(positions) <= MOST:
        return positions
    return positions.gather(np.linspace(0, len(positions) - 1, MOST).round().astype(np.int64))
