"""The answers of a window as the gate's own rates take them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from trimtab.stages.watch import truth
from trimtab.stages.watch.look import CHANCES, PREDICTION, Look


def given(look: Look) -> pl.DataFrame:
    """Rows that have an answer."""
    return look.rows.filter(pl.col(PREDICTION).is_not_null())


def numbers(look: Look, rows: pl.DataFrame) -> tuple[Any, Sequence[str] | None]:
    """P(positive) (n,), class probabilities (n, k) with their classes, or values (n,)."""
    classes = truth.classes(look)
    found = rows[CHANCES if classes else PREDICTION].to_list()
    return np.asarray(found, dtype=float), classes
