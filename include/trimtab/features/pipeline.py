"""Preprocessing that travels inside the model, so that training and serving cannot differ."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from trimtab.config.model import Task
from trimtab.features.categories import Categories, Style
from trimtab.features.text import THEMES, TextParts

_PARTS = ("hour", "weekday", "minute_of_day")


class DateParts(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Turn times into hour, weekday (Monday is 0) and minute of the day, in UTC.

    Year, month and day of the month are left out on purpose: the newest rows have values of
    them that training has not seen, and a model would learn where the calendar ends.
    """

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:  # noqa: N803 scikit-learn's name
        """Remember the columns."""
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: pd.DataFrame) -> np.ndarray:  # noqa: N803
        """Return three numbers per column; a missing time gives NaN."""
        parts = [part for name in X.columns for part in _parts(X[name])]
        return np.column_stack(parts).astype(np.float64)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Name the numbers, such as ``time_hour_weekday``."""
        names = [f"{name}_{part}" for name in self.feature_names_in_ for part in _PARTS]
        return np.asarray(names, dtype=object)

    def origins(self) -> list[str]:
        """Return the column that each number comes from."""
        return [str(name) for name in self.feature_names_in_ for _ in _PARTS]


def _parts(times: pd.Series) -> list[Any]:
    at = pd.to_datetime(times, utc=True).dt
    hour = at.hour
    return [hour, at.weekday, hour * 60 + at.minute]


def preprocessor(
    numeric: Sequence[str] = (),
    categorical: Sequence[str] = (),
    temporal: Sequence[str] = (),
    textual: Sequence[str] = (),
    *,
    style: Style,
    task: Task = "binary",
    seed: int = 0,
) -> ColumnTransformer:
    """Build the preprocessing of one family; what a column becomes is decided by the fit's rows.

    ``tree``: every column a dense number (missing stays missing), so that SHAP stays exact.
    ``linear``: imputed with an indicator, scaled, and sparse where categories and words are.
    """
    linear = style == "linear"
    number: Any = _scaled() if linear else "passthrough"
    time: Any = (
        make_pipeline(DateParts(), *_scaled().named_steps.values()) if linear else DateParts()
    )
    kinds = [
        ("number", number, numeric),
        ("category", Categories(style, task, seed), categorical),
        ("time", time, temporal),
        ("text", TextParts(None if linear else THEMES, seed), textual),
    ]
    return ColumnTransformer(
        [(name, step, list(columns)) for name, step, columns in kinds if columns],
        verbose_feature_names_out=False,
    )


def _scaled() -> Any:
    imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    return make_pipeline(imputer, StandardScaler())


def origins(fitted: ColumnTransformer) -> list[str]:
    """Return the raw column of every column that a fitted `preprocessor` gives, in its order."""
    return [
        origin
        for _, step, columns in fitted.transformers_
        if step != "drop"
        for origin in _origins(step, columns)
    ]


def _origins(step: Any, columns: Sequence[str]) -> list[str]:
    found = list(columns)
    for part in step if isinstance(step, Pipeline) else [step]:
        if hasattr(part, "origins"):
            found = part.origins()
        elif isinstance(part, SimpleImputer):
            found += [found[i] for i in part.indicator_.features_]
    return found
