"""The rows of a feature set, as a model takes them, and how models are fitted on them."""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trimtab.config import ModelSpec
from trimtab.environment import Environment
from trimtab.features.categories import Style
from trimtab.features.pipeline import preprocessor
from trimtab.serving.frame import Schema, coerce
from trimtab.training.fit import Fitting
from trimtab.training.split import Data
from trimtab.types import ROLE, TARGET, FeatureSet


def training_rows(env: Environment, features: FeatureSet, time: str | None) -> Data:
    """Return the rows a model learns from; ``time`` is its dataset's event time."""
    return as_data(read(env, features).filter(pl.col(ROLE) == "train"), features, time)


def fitting(spec: ModelSpec, features: FeatureSet) -> Fitting:
    """Return how every model of a feature set is fitted: trials, refits, folds and rebuilds."""

    def preprocess(style: Style) -> Any:
        kinds = features.numeric, features.categorical, features.temporal, features.textual
        return preprocessor(*kinds, style=style, task=features.task, seed=spec.train.seed)

    return Fitting(features.task, spec.train, preprocess)


def read(env: Environment, features: FeatureSet) -> pl.DataFrame:
    """Return every row of a feature set, with target and role."""
    return pl.read_parquet(env.lake / features.uri)


def as_data(rows: pl.DataFrame, features: FeatureSet, time: str | None) -> Data:
    """Return rows of a feature set as frame, target, time, group and weight."""
    schema = Schema.of(features)
    frame = coerce(rows.select(schema.columns).to_pandas(), schema)
    moments = None
    if time and features.train_until is not None:
        moments = rows[time].dt.replace_time_zone(None).to_numpy()
    return Data(
        frame,
        _plain(rows[TARGET]),
        moments,
        _plain(rows[features.group]) if features.group else None,
        rows[features.weight].cast(pl.Float64).to_numpy() if features.weight else None,
    )


def _plain(column: pl.Series) -> NDArray[np.generic]:
    values = column.to_numpy()
    return np.asarray(values.tolist(), dtype=str) if values.dtype == object else values
