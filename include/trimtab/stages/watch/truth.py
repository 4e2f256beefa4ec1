"""The rows of a window, and of the version's hold-out, as the families that need labels take them.

The hold-out's part (label, answer, day, watched features of at most 50,000 rows) is a file of the
version, built once and again when it is gone.
"""

import functools
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from trimtab import metrics
from trimtab.config.columns import primary_metric
from trimtab.environment import Environment
from trimtab.features import store
from trimtab.monitoring import blocks, inputs
from trimtab.monitoring.estimated import Unlabelled
from trimtab.monitoring.profile import Kind
from trimtab.monitoring.truth import Known, Metric
from trimtab.serving import loader
from trimtab.stages import importance, loading
from trimtab.stages.watch.kept import place
from trimtab.stages.watch.look import CHANCES, PREDICTION, REPEATED, TRAINED, Look, kinds
from trimtab.types import ROLE, TARGET, Candidate

ROWS = 50_000  # of the hold-out, evenly spread: more do not make a monthly window surer
BLOCK = "_block"


def primary(look: Look) -> str:
    """Name of the metric that decides."""
    return primary_metric(look.spec, look.candidate.features.task)


def metric(look: Look, name: str) -> Metric:
    """A metric of labels, answers and weights."""
    named = classes(look)

    def of(y: Any, p: Any, w: Any = None) -> float:
        return metrics.score(name, y, p, named, w)

    return of


def classes(look: Look) -> tuple[str, ...] | None:
    """The labels of a multiclass answer's columns; None of every other task."""
    if look.candidate.features.task != "multiclass":
        return None
    described = loader.description(look.env.lake, look.candidate)
    return tuple(str(label) for label in described["classes"])


def judged(look: Look) -> pl.DataFrame:
    """Rows with a known label the version has not seen, each in the one window it belongs to."""
    known = pl.col(TARGET).is_not_null() & pl.col(PREDICTION).is_not_null()
    return look.rows.filter(known, ~pl.col(TRAINED), ~pl.col(REPEATED))


def known(look: Look, rows: pl.DataFrame, *, watched: bool = False) -> Known:
    """The rows with their labels; ``watched`` brings the features as numbers."""
    matrix = _matrix(look, rows) if watched else None
    return Known(_truth(rows), _answers(look, rows), days(look, rows), matrix)


def answered(look: Look) -> Unlabelled:
    """Every row with an answer, labelled or not, with its features as numbers."""
    rows = look.rows.filter(pl.col(PREDICTION).is_not_null())
    return Unlabelled(_answers(look, rows), days(look, rows), _matrix(look, rows))


def hold_out(look: Look, *, watched: bool = False) -> Known | None:
    """The hold-out of the window's version; None when it had no row."""
    rows = _reference(look)
    if not rows.height:
        return None
    matrix = inputs.matrix(rows, rows, _watched(look)) if watched else None
    return Known(_truth(rows), _answers(look, rows), rows[BLOCK].to_numpy(), matrix)


def days(look: Look, rows: pl.DataFrame) -> Any:
    """Days of the rows, or runs of neighbours where no time is known."""
    return _days(rows, look.time)


def _days(rows: pl.DataFrame, time: str | None) -> Any:
    known = rows[time].dt.date().cast(pl.String).to_list() if time in rows.columns else None
    return blocks.day_or_neighbours(known, rows.height)


def _truth(rows: pl.DataFrame) -> Any:
    column = rows[TARGET]
    return (
        np.asarray(column.to_list(), dtype=str) if column.dtype == pl.String else column.to_numpy()
    )


def _answers(look: Look, rows: pl.DataFrame) -> Any:
    given = rows[CHANCES if look.candidate.features.task == "multiclass" else PREDICTION]
    return np.asarray(given.to_list(), dtype=float)


def _matrix(look: Look, rows: pl.DataFrame) -> Any:
    return inputs.matrix(rows, _reference(look), _watched(look))


def _watched(look: Look) -> dict[str, Kind]:
    """The features that matter most: rows are alike when these are."""
    all_kinds, top = kinds(look.candidate.features), look.settings.top
    worth = importance.shown(look.env, look.candidate)
    if not worth or not top:
        return all_kinds
    ranked = [column.column for column in worth.columns if column.column in all_kinds]
    return {name: all_kinds[name] for name in ranked[:top]} or all_kinds


def _reference(look: Look) -> pl.DataFrame:
    dataset = look.env.project.dataset(look.spec.data.from_)
    return _stored(look.env, look.candidate, dataset.time)


def _stored(env: Environment, candidate: Candidate, time: str | None) -> pl.DataFrame:
    path = place(env, candidate, "truth.parquet")
    if not path.exists():
        store.write(_built(env, candidate, time), path)
    return _read(path)


def _built(env: Environment, candidate: Candidate, time: str | None) -> pl.DataFrame:
    """Label, answer, block and features of the hold-out's rows."""
    features = candidate.features
    stored = pl.scan_parquet(env.lake / features.uri).filter(pl.col(ROLE) == "holdout")
    rows = stored.filter(pl.col(TARGET).is_not_null()).collect()
    rows = rows.gather_every(max(1, -(-rows.height // ROWS)))
    block = pl.Series(BLOCK, _days(rows, time).tolist(), dtype=pl.String)
    given = _predicted(env, candidate, rows)
    return rows.select(TARGET, *kinds(features)).with_columns(block, *given)


def _predicted(env: Environment, candidate: Candidate, rows: pl.DataFrame) -> list[pl.Series]:
    if not rows.height:
        return [pl.Series(PREDICTION, [], dtype=pl.Float64)]
    given = loading.load(env, candidate).predict(rows.to_pandas())
    if given.ndim == 1:
        return [pl.Series(PREDICTION, given)]
    return [pl.Series(CHANCES, given.tolist(), dtype=pl.List(pl.Float64))]


@functools.lru_cache(maxsize=2)
def _read(path: Path) -> pl.DataFrame:
    return pl.read_parquet(path)


def coverage(look: Look, rows: pl.DataFrame) -> str:
    """Say how many rows have a label, and which of them are not judged here."""
    left = look.rows.filter(pl.col(TARGET).is_not_null())
    trained, repeated = int(left[TRAINED].sum()), int(left[REPEATED].sum())
    told = [f"{rows.height:,} of {look.rows.height:,} rows with a known label"]
    told += [f"{look.changed:,} of them changed since the last look"] if look.changed else []
    told += [f"{trained:,} more were trained on"] if trained else []
    told += [f"{repeated:,} more count in the window they were first scored in"] if repeated else []
    return ", ".join(told)
