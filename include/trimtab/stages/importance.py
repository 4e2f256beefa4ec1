"""What every feature of a version is worth and costs: measured once, kept in its package."""

import logging
from typing import Any

import numpy as np
import pandas as pd

from trimtab.config import ModelSpec
from trimtab.environment import Environment
from trimtab.errors import AdditivityError, IntegrityError
from trimtab.features.pipeline import origins
from trimtab.serving import loader
from trimtab.training import figures, package, shapley, split
from trimtab.training.importance import REPEATS, ROWS, permutation
from trimtab.training.search import Found, Search
from trimtab.training.shapley import Contributions
from trimtab.types import Candidate, ColumnImportance, FeatureSet, Importance

log = logging.getLogger(__name__)
_BACKGROUND = 1000  # training rows whose mean a linear model is explained against


def explained(
    env: Environment,
    spec: ModelSpec,
    features: FeatureSet,
    search: Search,
    found: Found,
    winner: Any,
) -> dict[str, bytes]:
    """Return the files that explain a version, by name: ``importance.json`` and the figures."""
    search.progress("measuring what every feature is worth, and drawing the figures")
    worth, told = importance(spec, features, search, found, winner)
    column = env.project.dataset(spec.data.from_).columns[spec.target.column]
    target = f"{spec.target.column} [{column.unit}]" if column.unit else spec.target.column
    pictures = figures.draw(search, found, worth, told, target=target)
    files = {f"{package.FIGURES}/{name}": picture for name, picture in pictures.items()}
    return {**files, package.IMPORTANCE: worth.model_dump_json(indent=1).encode()}


def importance(
    spec: ModelSpec, features: FeatureSet, search: Search, found: Found, winner: Any
) -> tuple[Importance, Contributions | None]:
    """Measure the worth of every feature, and the contributions of the packaged model.

    Columns are shuffled under the trial's model, which has not seen the validation rows. SHAP is
    of the packaged one; where its values do not add up there are none, and the record says why.
    """
    seed, data = spec.train.seed, search.data
    rows = split.sample(found.validation, ROWS, seed)
    frame, y = data.frame.iloc[rows], data.y[rows]
    worths = permutation(found.probe, frame, y, search.how.task, search.metric, seed=seed)
    told = _contributions(spec, search, found, winner)
    shap = {} if isinstance(told, str) else _means(told)
    columns = tuple(
        ColumnImportance(
            column=name,
            permutation=worth.mean,
            spread=worth.spread,
            useless=worth.useless,
            shap=shap.get(name),
            cost=features.costs.get(name),
        )
        for name, worth in worths.items()
    )
    measured = Importance(
        model=spec.model, metric=search.metric, rows=len(rows), repeats=REPEATS, columns=columns
    )
    if isinstance(told, str):
        return measured.model_copy(update={"shap_method": told}), None
    extra = {
        "shap_rows": len(told.values),
        "shap_scale": told.scale,
        "shap_method": told.method,
    }
    return measured.model_copy(update=extra), told


def of(env: Environment, candidate: Candidate) -> Importance | None:
    """Read the importance of a version; None of one that was trained before it was measured.

    Raises:
        IntegrityError: the file is not what the ledger says.
    """
    if package.IMPORTANCE not in candidate.manifest:
        return None
    return Importance.model_validate_json(loader.read(env.lake, candidate, package.IMPORTANCE))


def shown(env: Environment, candidate: Candidate) -> Importance | None:
    """Read it for a page: that the file is not the version's own is for the gate to say."""
    try:
        return of(env, candidate)
    except (IntegrityError, ValueError) as error:
        log.warning("%s version %d: no importance: %s", candidate.model, candidate.version, error)
        return None


def _contributions(
    spec: ModelSpec, search: Search, found: Found, winner: Any
) -> Contributions | str:
    if not spec.train.shap_rows:
        return "left out by the model file (train.shap_rows: 0)"
    frame, seed = search.data.frame, spec.train.seed
    rows = split.sample(found.validation, spec.train.shap_rows, seed)
    rows = np.random.default_rng(seed).permutation(rows)  # of a large model the first are explained
    try:
        return shapley.fast(
            winner,
            frame.iloc[rows],
            search.how.task,
            traced(winner),
            lambda: background(frame, seed),
        )
    except AdditivityError as error:
        log.exception("%s: no SHAP values of this version", spec.model)
        return str(error)


def background(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return the training rows that stand for no information."""
    return frame.iloc[split.sample(np.arange(len(frame)), _BACKGROUND, seed)]


def traced(model: Any) -> list[str]:
    """Return the feature behind each column the estimator sees; none of a model of the user's."""
    steps = getattr(model, "named_steps", {})
    try:
        return origins(steps["preprocess"])
    except (KeyError, AttributeError, TypeError, IndexError):  # not made by our pipeline
        return []


def _means(told: Contributions) -> dict[str, float]:
    """Mean absolute contribution of each feature over rows and classes."""
    means = np.abs(told.values).mean(axis=(0, 2))
    return dict(zip(told.frame.columns, means.tolist(), strict=True))
