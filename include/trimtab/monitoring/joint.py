"""The columns together: how badly a row fits what the reference's columns had in common.

Principal components of the reference rebuild each row; a row whose columns no longer go together
is rebuilt badly even when every column alone looks as before. The error becomes one more column,
judged like the others. Source: NannyML, "Detecting multivariate drift", data reconstruction with
PCA (categories by their frequency, 65 % of the variance kept).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from trimtab.monitoring.profile import ColumnProfile, as_counted, unreadable
from trimtab.types import Record

ERROR = "_reconstruction_error"
KEPT = 0.65  # of the variance
ROWS = 100_000  # at most are looked at, evenly over the window


class Basis(Record):
    """Principal components of the reference, on columns of mean 0 and variance 1."""

    columns: tuple[str, ...]
    profiles: dict[str, ColumnProfile]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    components: tuple[tuple[float, ...], ...]


def fit(frame: pl.DataFrame, profiles: Mapping[str, ColumnProfile]) -> Basis | None:
    """Fit the components; None where fewer than three columns vary."""
    varying = {name: p for name, p in profiles.items() if any(p.counts) and not p.constant}
    values = _values(sample(frame), varying)
    columns = [name for name, _ in values]
    if len(columns) < 3:
        return None
    table = np.column_stack([value for _, value in values])
    mean, scale = np.nanmean(table, axis=0), np.nanstd(table, axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    unit = np.nan_to_num((table - mean) / scale)
    variances, vectors = np.linalg.eigh(unit.T @ unit / len(unit))
    share = np.cumsum(variances[::-1]) / variances.sum()
    count = min(int(np.searchsorted(share, KEPT)) + 1, len(columns) - 1)
    return Basis(
        columns=tuple(columns),
        profiles={name: varying[name] for name in columns},
        mean=tuple(mean.tolist()),
        scale=tuple(scale.tolist()),
        components=tuple(map(tuple, vectors[:, ::-1][:, :count].T.tolist())),
    )


def errors(frame: pl.DataFrame, basis: Basis) -> pl.Series:
    """Return each row's distance to what the components make of it, in standard deviations.

    Raises:
        ValueError: a column is gone or cannot be read.
    """
    values = dict(_values(frame, basis.profiles))
    if missing := [name for name in basis.columns if name not in values]:
        raise ValueError(f"not readable now: {', '.join(missing)}")
    table = np.column_stack([values[name] for name in basis.columns])
    unit = np.nan_to_num((table - np.asarray(basis.mean)) / np.asarray(basis.scale))
    directions = np.asarray(basis.components)
    apart = unit - unit @ directions.T @ directions
    return pl.Series(ERROR, np.sqrt(np.sum(apart**2, axis=1)))


def sample(frame: pl.DataFrame) -> pl.DataFrame:
    """Return every k-th row, so that no more than ``ROWS`` are looked at."""
    return frame.gather_every(-(-frame.height // ROWS)) if frame.height > ROWS else frame


def _values(frame: pl.DataFrame, profiles: Mapping[str, ColumnProfile]) -> list[tuple[str, Any]]:
    return [
        (name, _value(frame[name], profile))
        for name, profile in profiles.items()
        if unreadable(profile.kind, frame.schema.get(name)) is None
    ]


def _value(column: pl.Series, profile: ColumnProfile) -> Any:
    """A number, within the reference's range and its width beyond; a category's frequency."""
    values = column.to_frame("x").select(as_counted("x", profile.kind)).to_series()
    if profile.kind == "categorical":
        known = sum(profile.counts)
        share = {
            name: count / known
            for name, count in zip(profile.categories, profile.counts, strict=False)
        }
        return (
            values.replace_strict(share, default=0.0, return_dtype=pl.Float64)
            .fill_null(profile.null_share)
            .to_numpy()
        )
    if profile.low is None or profile.high is None:
        return np.zeros(len(values))
    width = profile.high - profile.low
    inside = values.clip(
        profile.low - width, profile.high + width
    )  # of infinities there is no error
    return inside.fill_null(np.nan).to_numpy()
