"""What the answers rest on: contributions of a sample of the rows, against the version's own."""

import logging
from typing import Any

import numpy as np
import polars as pl

from trimtab.environment import Environment
from trimtab.errors import AdditivityError
from trimtab.monitoring import attribution
from trimtab.monitoring.attribution import Basis
from trimtab.monitoring.detect import Comparison
from trimtab.serving import loader
from trimtab.serving.frame import coerce
from trimtab.stages import importance, loading
from trimtab.stages.rows import training_rows
from trimtab.stages.watch import expected
from trimtab.stages.watch.kept import kept, place
from trimtab.stages.watch.look import Look
from trimtab.stages.watch.top import top
from trimtab.training import shapley
from trimtab.types import ROLE, Candidate

log = logging.getLogger(__name__)
REFERENCE, WINDOW = 2000, 500  # rows explained
ANSWERS = 200_000  # of a model without an exact method: predictions its sampled values may cost
FEW = 50  # explained rows below which nothing is said


def attributed(look: Look) -> list[Comparison]:
    """Compare what the answers of a sample of the rows rest on."""
    basis = _reference(look.env, look.candidate, look.time)
    names = list(basis.features)
    if absent := [name for name in names if name not in look.rows.columns]:
        raise ValueError(f"the rows have no column {', '.join(absent)}")
    rows = _sample(look.rows, look.time, WINDOW)
    values, _ = _contributions(look.env, look.candidate, rows)
    wanted = look.settings.watch("attribution")
    findings = attribution.compare(
        basis,
        values,
        seconds=expected.seconds(look.rows, look.time),
        top=wanted.columns or top(look.env, look.candidate, look.settings.top),
        min_rows=min(FEW, look.settings.min_rows),
        limit=wanted.limit or attribution.LIMIT,
    )
    return [Comparison(finding) for finding in findings]


def _reference(env: Environment, candidate: Candidate, time: str | None) -> Basis:
    """Explain hold-out rows, unseen by the model as a window's are; once, then a file."""
    path = place(env, candidate, "attribution.json")
    return kept(path, Basis, lambda: _basis(env, candidate, time))


def _basis(env: Environment, candidate: Candidate, time: str | None) -> Basis:
    stored = pl.scan_parquet(env.lake / candidate.features.uri)
    rows = stored.filter(pl.col(ROLE) == "holdout").collect()
    values, method = _contributions(env, candidate, _sample(rows, time, REFERENCE))
    seconds = expected.seconds(rows, time)
    names = candidate.features.features
    return attribution.basis(values, names, seconds=seconds, method=method)


def _contributions(env: Environment, candidate: Candidate, rows: pl.DataFrame) -> tuple[Any, str]:
    """Absolute contributions, (n, features), summed over classes, and by which method."""
    loaded, features = loading.load(env, candidate), candidate.features
    frame = coerce(rows.select(loaded.schema.columns).to_pandas(), loaded.schema)
    seed = int(loader.description(env.lake, candidate)["seed"])

    def others() -> Any:
        return importance.background(training_rows(env, features, None).frame, seed)

    model, traced = loaded.pipeline, importance.traced(loaded.pipeline)
    try:
        told = shapley.fast(model, frame, features.task, traced, others)
    except AdditivityError as error:
        log.warning("%s version %s: %s", candidate.model, candidate.version, error)
        told = str(error)
    if isinstance(told, str):
        few = max(FEW, ANSWERS // (500 * (len(features.features) + 1)))
        some = frame.iloc[np.linspace(0, len(frame) - 1, min(few, len(frame))).astype(int)]
        told = shapley.sampled(model, some, features.task, others(), seed=seed)
    order = [list(told.frame.columns).index(name) for name in features.features]
    return np.abs(told.values).sum(axis=2)[:, order], told.method


def _sample(rows: pl.DataFrame, time: str | None, size: int) -> pl.DataFrame:
    """Rows evenly over the window, in the order of time: every run of it is seen alike."""
    ordered = rows.sort(time) if time and time in rows.columns else rows
    if ordered.height <= size:
        return ordered
    return ordered.select(pl.all().gather(np.linspace(0, ordered.height - 1, size).astype(int)))
