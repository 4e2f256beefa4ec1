"""Rows of a made-up world whose truth, answers and changes are known."""

from typing import Any

import numpy as np

from trimtab import metrics
from trimtab.monitoring.truth import Known


def auc(y: Any, p: Any, w: Any = None) -> float:
    return metrics.score("roc_auc", y, p, None, w)


def absolute(y: Any, p: Any, w: Any = None) -> float:
    return metrics.score("neg_mean_absolute_error", y, p, None, w)


def binary(
    seed: int,
    rows: int = 3000,
    days: int = 30,
    *,
    shift: float = 0.0,
    flip: float = 0.0,
    rate: float = 0.0,
    day_spread: float = 0.0,
    alike: float = 0.0,
) -> Known:
    """A model that is right on most rows, and overlooks a second, bent column.

    ``shift`` moves the inputs, ``flip`` turns the relation for that share of the rows, ``rate``
    makes the label likelier whatever the inputs, ``day_spread`` makes days differ, and ``alike`` is
    the correlation of neighbouring ones.
    """
    draw = np.random.default_rng(seed)
    day = np.arange(rows) * days // rows
    x = draw.normal([shift, 0, 0], size=(rows, 3))
    each = draw.normal(size=days) * day_spread
    for i in range(1, days):
        each[i] = alike * each[i - 1] + np.sqrt(1 - alike**2) * each[i]
    odds = 1.5 * x[:, 0] + 0.8 * x[:, 1] ** 2 - 0.8 + each[day]
    odds = np.where(draw.random(rows) < flip, -odds, odds) + rate
    y = (draw.random(rows) < 1 / (1 + np.exp(-odds))).astype(int)
    p = 1 / (1 + np.exp(-1.4 * x[:, 0]))
    return Known(y, p, np.char.zfill(day.astype(str), 3), x)


def numbers(seed: int, rows: int = 3000, *, shift: float = 0.0, bias: float = 0.0) -> Known:
    """A regression whose noise grows with the first column."""
    draw = np.random.default_rng(seed)
    x = draw.normal([shift, 0], size=(rows, 2))
    y = 3 * x[:, 0] + draw.normal(size=rows) * np.exp(0.5 * x[:, 0]) + bias
    day = np.char.zfill((np.arange(rows) * 30 // rows).astype(str), 3)
    return Known(y, 3 * x[:, 0], day, x)
