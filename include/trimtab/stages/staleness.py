"""How fast a version's recipe goes stale, and how old a model of it should become at most."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trimtab.config import ModelSpec
from trimtab.environment import Environment
from trimtab.errors import NotReadyError
from trimtab.evaluation import decay as page
from trimtab.ledger import versions
from trimtab.serving import loader
from trimtab.stages.mirror import catch_up
from trimtab.stages.rows import as_data, fitting
from trimtab.training import decay, registry
from trimtab.training.decay import Decay, Walk
from trimtab.training.fit import fit, scores
from trimtab.training.split import Data, Rows
from trimtab.types import Candidate, FeatureSet, Staleness

log = logging.getLogger(__name__)
KIND = "staleness"


def staleness(
    env: Environment,
    model: str,
    version: int,
    progress: Callable[[str], None] | None = None,
) -> Staleness:
    """Measure the decay curve of a version by walking forward over its recorded rows.

    Bounded whatever the data: at most twelve fits of at most 20,000 rows each. A version has one
    curve; asked again, it is read from the ledger.

    Raises:
        NotReadyError: the version is not trained, its rows are gone or have no time, or they
            span too few weeks.
    """
    done = env.ledger.find(KIND, model, str(version))
    if done is None:
        candidate = versions.candidate(env.ledger, model, version)
        tell = progress or (lambda text: log.info("%s@%d: %s", model, version, text))
        found = _measured(env, candidate, tell)
        done = env.ledger.append(KIND, model, str(version), found.to_json())
    known = Staleness.model_validate(done.payload)
    page.write(env.reports, known)
    catch_up(env, model)
    return known


def _measured(env: Environment, candidate: Candidate, tell: Callable[[str], None]) -> Staleness:
    made = loader.description(env.lake, candidate)
    spec, metric = ModelSpec.model_validate(made["config"]), str(made["metric"])
    time = env.project.dataset(spec.data.from_).time
    walk, data = _walk(env, candidate.features, spec, time)
    curve = decay.measure(
        walk,
        _scorer(candidate, spec, data, metric),
        lambda i, of: tell(f"fit {i} of {of} for the decay curve"),
    )
    margin = spec.gate.versus_champion.margin
    limit = decay.oldest_within(curve, margin)
    return _record(candidate, metric, curve, walk, margin, limit)


def _walk(
    env: Environment, features: FeatureSet, spec: ModelSpec, time: str | None
) -> tuple[Walk, Data]:
    """Choose the rows of every fit and score, and read only these."""
    file = env.lake / features.uri
    if time is None:
        raise NotReadyError(f"{spec.model}: {spec.data.from_} has no event time, so nothing ages")
    if not file.exists():
        raise NotReadyError(f"{spec.model}: the rows of feature set {features.key[:16]} are gone")
    when = pl.read_parquet(file, columns=[time])[time].dt.replace_time_zone(None).to_numpy()
    delay = np.timedelta64(spec.target.delay)
    try:
        walk = decay.plan(
            when, delay=delay, least_rows=spec.train.min_rows // 2, seed=spec.train.seed
        )
    except NotReadyError as error:
        raise NotReadyError(f"{spec.model}: no decay curve: {error}") from None
    kept = walk.rows
    rows = pl.read_parquet(file)[kept]
    place: NDArray[np.intp] = np.full(len(when), -1, np.intp)
    place[kept] = np.arange(len(kept))
    moved = Walk(
        walk.weeks, tuple(place[r] for r in walk.fit), tuple(place[r] for r in walk.scored)
    )
    return moved, as_data(rows, features, time)


def _scorer(
    candidate: Candidate, spec: ModelSpec, data: Data, metric: str
) -> Callable[[Rows, Sequence[Rows]], list[float]]:
    task = candidate.features.task
    family, how = registry.get(candidate.estimator, task), fitting(spec, candidate.features)

    def score(rows: Rows, stretches: Sequence[Rows]) -> list[float]:
        model = fit(family, candidate.params, how, data, rows)
        return [_score(model, data, stretch, task, metric) for stretch in stretches]

    return score


def _score(model: Any, data: Data, rows: Rows, task: Any, metric: str) -> float:
    if not len(rows):
        return float("nan")
    return scores(model, data, rows, task, (metric,))[metric]


def _record(
    candidate: Candidate, metric: str, curve: Decay, walk: Walk, margin: float, limit: int | None
) -> Staleness:
    model, version = candidate.model, candidate.version
    return Staleness(
        model=model,
        version=version,
        metric=metric,
        weeks=curve.weeks,
        scores=curve.scores,
        losses=curve.losses,
        errors=curve.errors,
        margin=margin,
        folds=len(walk.fit),
        rows=len(walk.fit[0]),
        max_age_weeks=limit,
        reason=page.told(metric, margin, curve.weeks, curve.losses, limit),
        report=page.path(model, version),
    )
