"""The answers of a window as arrays, and the rows whose truth may judge them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from trimtab.serving import loader
from trimtab.stages.watch.look import CHANCES, PREDICTION, Look


def given(look: Look) -> pl.DataFrame:
    """Rows that have an answer."""
    return look.rows.filter(pl.col(PREDICTION).is_not_null())


def numbers(look: Look, rows: pl.DataFrame) -> tuple[Any, Sequence[str] | None]:
    """P(positive) (n,), class probabilities (n, k) with their classes, or values (n,)."""
    several = look.candidate.features.task == "multiclass"
    found = rows[CHANCES if several else PREDICTION].to_list()
    values = np.asarray(found, dtype=float)
    return values, classes(look) if several else None


def classes(look: Look) -> list[str]:
    """Labels of a multiclass prediction's columns."""
    described = loader.description(look.env.lake, look.candidate)
    return [str(label) for label in described["classes"]]
