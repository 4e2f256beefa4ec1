"""Preprocessing that travels inside the model, so that training and serving cannot differ."""

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

Style = Literal["linear", "tree"]
_PARTS = ("hour", "weekday", "minute_of_day")
_MAX_CATEGORIES = 250  # of one column; the rarest share one code
_MIN_FREQUENCY = 20  # rows a category needs for an own linear weight


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


def _parts(times: pd.Series) -> list[Any]:
    at = pd.to_datetime(times, utc=True).dt
    hour = at.hour
    return [hour, at.weekday, hour * 60 + at.minute]


def preprocessor(
    numeric: Sequence[str], categorical: Sequence[str], temporal: Sequence[str], *, style: Style
) -> ColumnTransformer:
    """Build the preprocessing of one family.

    ``tree``: numbers as they are (missing stays missing), categories as ordinal numbers with
    unknown as -1, so that SHAP stays exact. ``linear``: imputed with an indicator, scaled,
    categories one-hot with the rare and unknown ones together.
    """
    number: Any = "passthrough"
    time: Any = DateParts()
    category: Any = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=-1,
        max_categories=_MAX_CATEGORIES,
    )
    if style == "linear":
        number, time = _scaled(), make_pipeline(DateParts(), *_scaled().named_steps.values())
        category = OneHotEncoder(
            handle_unknown="infrequent_if_exist",
            min_frequency=_MIN_FREQUENCY,
            max_categories=_MAX_CATEGORIES,
        )
    kinds = [
        ("number", number, numeric),
        ("category", category, categorical),
        ("time", time, temporal),
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
    raw = sorted(map(str, fitted.feature_names_in_), key=len, reverse=True)
    names = [str(name).removeprefix("missingindicator_") for name in fitted.get_feature_names_out()]
    return [next(c for c in raw if name == c or name.startswith(f"{c}_")) for name in names]
