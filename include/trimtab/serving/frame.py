"""A frame in the types a model was trained on, whatever the caller brings."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from trimtab.errors import DataError
from trimtab.types import FeatureSet


@dataclass(frozen=True)
class Schema:
    """A model's feature columns by kind."""

    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    temporal: tuple[str, ...] = ()
    textual: tuple[str, ...] = ()

    @classmethod
    def of(cls, features: FeatureSet) -> Self:
        """The columns of a feature set."""
        return cls(features.numeric, features.categorical, features.temporal, features.textual)

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns in the model's order."""
        return self.numeric + self.categorical + self.temporal + self.textual


def coerce(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Return the model's columns as float, text and UTC time; further columns are left out.

    Raises:
        DataError: names every missing column, or every column with values of another type.
    """
    if missing := [name for name in schema.columns if name not in frame.columns]:
        raise DataError(f"{len(missing)} feature column(s) are missing: {', '.join(missing)}")
    wrong: list[str] = []
    columns = {name: _number(frame[name], wrong) for name in schema.numeric}
    columns |= {name: _text(frame[name]) for name in (*schema.categorical, *schema.textual)}
    columns |= {name: _time(frame[name], wrong) for name in schema.temporal}
    if wrong:
        raise DataError("wrong type in feature column(s): " + "; ".join(wrong))
    return pd.DataFrame(columns, index=frame.index)


def _number(values: pd.Series, wrong: list[str]) -> pd.Series:
    try:
        numbers = pd.to_numeric(values).astype("float64")
    except (TypeError, ValueError) as error:
        wrong.append(f"{values.name} is no number ({error})")
        return values
    return numbers.where(np.isfinite(numbers))  # infinity would stop the whole batch


def _text(values: pd.Series) -> pd.Series:
    return values.astype("str").where(values.notna())


def _time(values: pd.Series, wrong: list[str]) -> pd.Series:
    try:
        return pd.to_datetime(values, utc=True).astype("datetime64[us, UTC]")
    except (TypeError, ValueError) as error:
        wrong.append(f"{values.name} is no time ({error})")
        return values
