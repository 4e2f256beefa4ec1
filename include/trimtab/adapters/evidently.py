"""Evidently makes a page people can look into; it decides nothing and cannot stop monitoring."""

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import polars as pl

log = logging.getLogger(__name__)
SAMPLE = 20_000
_BINS = 10  # of Evidently's PSI


@dataclass(frozen=True)
class DriftPage:
    """What became of the page. ``left_out`` maps a column Evidently crashes on to the reason."""

    status: Literal["written", "failed", "empty"]
    sample: tuple[int, int] = (0, 0)  # rows of the reference and of the current side
    left_out: dict[str, str] = field(default_factory=dict)
    note: str = ""


def write_drift_page(
    reference: pl.DataFrame | pl.LazyFrame,
    current: pl.DataFrame | pl.LazyFrame,
    path: Path,
    *,
    numeric: Sequence[str],
    categorical: Sequence[str],
    threshold: float,
    sample: int = SAMPLE,
) -> DriftPage:
    """Write one ``ValueDrift`` per column (PSI) on every n-th row: ``sample`` of each side at most.

    The columns are listed and typed here: Evidently's own typing takes ids for numbers, and its
    preset computes every column three times. A column it crashes on is left out; a crash of the
    page is a status, never an exception.
    """
    names = [*numeric, *categorical]
    before, after = (_sampled(frame, names, sample) for frame in (reference, current))
    left_out = unfit(before, after, numeric=numeric, categorical=categorical)

    def save(place: Path, names: Sequence[str]) -> None:
        numbers = [name for name in numeric if name in names]
        texts = [name for name in categorical if name in names]
        sides = _pandas(before, numbers, texts), _pandas(after, numbers, texts)
        _save(*sides, place, numbers, texts, threshold)

    fit = [name for name in names if name not in left_out]
    if not fit:
        return DriftPage("empty", left_out=left_out, note="no column can be shown")
    try:
        save(path, fit)
    except Exception as error:
        log.warning("the Evidently page %s could not be made: %s", path, error, exc_info=True)
        crashed = _crashing(save, path, fit)
        left_out, fit = left_out | crashed, [name for name in fit if name not in crashed]
        if not crashed or not fit:
            return DriftPage("failed", left_out=left_out, note=f"{type(error).__name__}: {error}")
        save(path, fit)
    return DriftPage("written", (before.height, after.height), left_out)


def _crashing(
    save: Callable[[Path, Sequence[str]], None], path: Path, names: Sequence[str]
) -> dict[str, str]:
    """The columns that Evidently crashes on, each tried alone."""
    aside, found = path.with_name(f".{path.name}.{os.getpid()}.one"), {}
    for name in names:
        try:
            save(aside, [name])
        except Exception as error:
            found[name] = f"Evidently cannot show it: {type(error).__name__}: {error}"
        finally:
            aside.unlink(missing_ok=True)
    return found


def unfit(
    reference: pl.DataFrame,
    current: pl.DataFrame,
    *,
    numeric: Sequence[str],
    categorical: Sequence[str],
) -> dict[str, str]:
    """Return the columns Evidently 0.7 raises on, each with the reason."""
    found: dict[str, str] = {}
    for name in (*numeric, *categorical):
        for side, frame in (("the reference", reference), ("the current rows", current)):
            if reason := _unfit(frame, name, number=name in numeric):
                found.setdefault(name, f"{reason} in {side}")
    return found


def _unfit(frame: pl.DataFrame, name: str, *, number: bool) -> str | None:
    if name not in frame.columns:
        return "absent"
    column = frame[name]
    if column.dtype == pl.Object or column.dtype.is_nested():
        return "values of mixed types"
    if number and not (column.dtype.is_numeric() or column.dtype == pl.Boolean):
        return f"{column.dtype}, not a number,"
    values = _finite(column) if number else column.drop_nulls()
    if not len(values):
        return "no value"
    return "numbers too close to each other for bins" if number and _too_close(values) else None


def _too_close(values: pl.Series) -> bool:
    """Whether so many equal bins have no width of their own, as of 10**16 and 10**16 + 2."""
    import numpy as np

    edges = np.linspace(float(str(values.min())), float(str(values.max())), _BINS + 1)
    return bool(edges[0] < edges[-1] and (np.diff(edges) <= 0).any())


def _finite(column: pl.Series) -> pl.Series:
    number = column.cast(pl.Float64)
    return number.filter(number.is_finite().fill_null(False))


def _sampled(frame: pl.DataFrame | pl.LazyFrame, names: Sequence[str], rows: int) -> pl.DataFrame:
    """Every n-th row, so that few are held; a file that is only scanned is read in pieces."""
    lazy = frame.lazy()
    there = lazy.collect_schema().names()
    height = int(lazy.select(pl.len()).collect(engine="streaming").item())
    every = max(-(-height // rows), 1)
    wanted = lazy.select(name for name in names if name in there).gather_every(every)
    return wanted.collect(engine="streaming")


def _pandas(frame: pl.DataFrame, numeric: Sequence[str], categorical: Sequence[str]) -> Any:
    """Plain float64 and object columns; an infinity becomes missing, PSI has no bin for it."""
    numbers = [
        pl.when(pl.col(name).cast(pl.Float64).is_finite()).then(pl.col(name).cast(pl.Float64))
        .alias(name)
        for name in numeric
    ]  # fmt: skip
    texts = [pl.col(name).cast(pl.String) for name in categorical]
    pandas = frame.select(numbers + texts).to_pandas()
    return pandas.astype(dict.fromkeys(categorical, object))


def _save(
    before: Any,
    after: Any,
    path: Path,
    numeric: Sequence[str],
    categorical: Sequence[str],
    threshold: float,
) -> None:
    os.environ.setdefault("DO_NOT_TRACK", "true")  # read by Evidently when it is imported
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import ValueDrift

    definition = DataDefinition(
        numerical_columns=list(numeric), categorical_columns=list(categorical)
    )
    metrics = [
        ValueDrift(column=name, method="psi", threshold=threshold)
        for name in (*numeric, *categorical)
    ]
    snapshot = Report(metrics).run(
        Dataset.from_pandas(after, data_definition=definition),
        Dataset.from_pandas(before, data_definition=definition),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    snapshot.save_html(str(aside))
    aside.replace(path)
