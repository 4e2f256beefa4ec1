"""The primary metric on the rows whose truth is known by now."""

from typing import Any

import numpy as np
import polars as pl

from trimtab import metrics
from trimtab.config.columns import primary_metric
from trimtab.monitoring import performance
from trimtab.monitoring.detect import Comparison
from trimtab.serving import loader
from trimtab.stages.watch.look import CHANCES, PREDICTION, TRAINED, Look
from trimtab.types import TARGET


def realised(look: Look) -> list[Comparison]:
    """Judge rows with a known label that the version was not trained on."""
    task = look.candidate.features.task
    name = primary_metric(look.spec, task)
    rows = look.rows
    known = rows.filter(pl.col(TARGET).is_not_null(), pl.col(PREDICTION).is_not_null())
    judged = known.filter(~pl.col(TRAINED))
    given = judged[PREDICTION if task != "multiclass" else CHANCES]
    classes = None
    if task == "multiclass":
        described = loader.description(look.env.lake, look.candidate)
        classes = [str(label) for label in described["classes"]]
    finding = performance.measure(
        judged[TARGET].to_numpy(),
        np.asarray(given.to_list(), dtype=float),
        blocks(judged, look.time),
        metric=lambda y, p: metrics.score(name, y, p, classes),
        name=name,
        rows=rows.height,
        trained=known.height - judged.height,
        gate=look.gate,
        settings=look.settings,
    )
    return [Comparison(finding)]


def blocks(rows: pl.DataFrame, time: str | None) -> list[Any]:
    """Return days for rows with a time, else twenty equal blocks of neighbouring rows."""
    if time:
        return rows[time].dt.date().to_list()
    return (pl.int_range(rows.height, eager=True) * 20 // max(rows.height, 1)).to_list()
