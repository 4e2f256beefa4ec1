"""Contributions of the raw columns to a model's score, each checked to sum to it.

SHAP is silently wrong where it does not understand a model (histogram boosting on native
categories: https://github.com/shap/shap/issues/3436), so nothing leaves here unchecked.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from trimtab.config.model import Task
from trimtab.errors import AdditivityError
from trimtab.training.fit import predict
from trimtab.training.unwrap import Anatomy, raw_scores, take_apart
from trimtab.types import Scale

Values = NDArray[np.float64]
Background = Callable[[], pd.DataFrame]  # training rows, read only where they are needed
_TOLERANCE, _SINGLE = 1e-6, 1e-5  # relative; the second for scores in single precision (XGBoost)
_WORK, _FEW = 1e10, 100  # steps of TreeSHAP at most, some ten seconds; rows it has to reach
_BACKGROUND, _PERMUTATIONS = 50, 10  # of sampled Shapley values: rows, orders of the columns


@dataclass(frozen=True)
class Contributions:
    """What every raw column adds to the score of every row.

    One output for numbers and two classes (the positive one), else one for each class.
    """

    frame: pd.DataFrame  # the explained rows, raw
    values: Values  # (n, columns, outputs)
    base: Values  # (outputs,)
    score: NDArray[np.floating]  # (n, outputs), the model's own
    scale: Scale
    method: str
    outputs: tuple[str, ...]  # names of several classes; empty of one output


def fast(
    model: Any, frame: pd.DataFrame, task: Task, origins: Sequence[str], background: Background
) -> Contributions | str:
    """Return exact contributions of a tree model (SHAP) or a linear one, or why there are none.

    Of trees too large to explain every row in seconds, the first rows are explained.

    Args:
        model: a fitted pipeline; of a calibrated one the estimator inside is explained.
        frame: rows to explain, raw.
        task: of the model.
        origins: the raw column of each column the preprocessing makes.
        background: gives raw rows whose mean is the base of a linear model.

    Raises:
        AdditivityError: the contributions do not sum to the score.
    """
    parts = take_apart(model)
    made = parts.transform(frame)
    if not parts.steps or made.shape[1] != len(origins):
        return f"the columns {parts.name} takes cannot be traced to features"
    groups = np.array([[o == column for column in frame.columns] for o in origins], dtype=float)
    if hasattr(parts.estimator, "coef_"):
        others = background()
        values, base = _linear(parts.estimator, made, parts.transform(others), groups)
        method = f"linear weights, against the mean of {len(others):,} training rows"
    else:
        found = _tree(parts, made, groups)
        if isinstance(found, str):
            return found
        values, base = found
        method = f"TreeSHAP (shap {version('shap')})"
    score, scale = raw_scores(parts.estimator, made[: len(values)], task)
    rows = frame.head(len(values))
    told = Contributions(
        rows, values, base, score, scale, method + _inside(parts), _names(model, score)
    )
    return checked(told, parts.name)


def sampled(
    model: Any, frame: pd.DataFrame, task: Task, background: pd.DataFrame, *, seed: int
) -> Contributions:
    """Return sampled Shapley values over raw columns of any model, for a few rows.

    Column after column of a background row takes the explained row's value, in random orders and
    their reverse (Strumbelj and Kononenko, 2014); the steps of each order sum exactly.
    """
    random = np.random.default_rng(seed)
    some = random.choice(len(background), min(_BACKGROUND, len(background)), replace=False)
    others = background[list(frame.columns)].iloc[np.sort(some)]
    orders = [random.permutation(frame.shape[1]) for _ in range(_PERMUTATIONS // 2)]
    orders += [order[::-1] for order in orders]
    steps = [_mean_steps(model, frame.iloc[[i]], others, task, orders) for i in range(len(frame))]
    values = np.stack([value for value, _ in steps])
    answers = _answers(model, frame, task)
    told = Contributions(
        frame=frame,
        values=values,
        base=steps[0][1],
        score=answers,
        scale="value" if task == "regression" else "probability",
        method=f"sampled Shapley values ({_PERMUTATIONS} orders, {len(others)} training rows)",
        outputs=_names(model, answers),
    )
    return checked(told, type(model).__name__)


def checked(told: Contributions, name: str) -> Contributions:
    """Return contributions that sum to the score of every row, within 1e-6 of what is summed.

    Raises:
        AdditivityError: names the model and the largest gap.
    """
    tolerance = _SINGLE if told.score.dtype == np.float32 else _TOLERANCE
    gap = np.abs(told.base + told.values.sum(axis=1) - told.score)
    size = np.abs(told.base) + np.abs(told.values).sum(axis=1) + np.abs(told.score)
    if not (gap <= tolerance * np.maximum(size, 1.0)).all():
        raise AdditivityError(
            f"{name}: the contributions do not sum to its score (largest gap {np.nanmax(gap):.3g}, "
            f"scores up to {np.abs(told.score).max():.3g}), so they are not shown; SHAP is wrong "
            "on native categories of histogram boosting: encode categories as numbers"
        )
    return replace(told, score=told.score.astype(np.float64))


def _names(model: Any, scores: NDArray[np.floating]) -> tuple[str, ...]:
    return tuple(map(str, model.classes_)) if scores.shape[1] > 1 else ()


def _inside(parts: Anatomy) -> str:
    return f"; of the {parts.name} before calibration" if parts.calibrated else ""


def _linear(estimator: Any, made: Any, background: Any, groups: Values) -> tuple[Values, Values]:
    weights = np.atleast_2d(estimator.coef_)
    mean = np.asarray(background.mean(axis=0)).ravel()
    each = []
    for weight in weights:
        scaled = made.multiply(weight).tocsr() if hasattr(made, "multiply") else made * weight
        each.append(np.asarray(scaled @ groups) - (mean * weight) @ groups)
    base = np.ravel(estimator.intercept_) + weights @ mean
    return np.stack(each, axis=2), base


def _tree(parts: Anatomy, made: Any, groups: Values) -> tuple[Values, Values] | str:
    """Path-dependent TreeSHAP, summed by raw column."""
    import shap

    dense = made.toarray() if hasattr(made, "toarray") else np.asarray(made, dtype=float)
    try:
        explainer = shap.TreeExplainer(parts.estimator)
    except shap.utils._exceptions.InvalidModelError:
        return f"there is no exact method for {parts.name}"
    most = _affordable(explainer.model)
    if most < min(_FEW, len(dense)):
        return f"the trees of this {parts.name} are too large"
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # told in every call
        found = explainer.shap_values(dense[:most], check_additivity=False)
    values = np.asarray(found, dtype=float)
    base = np.ravel(np.asarray(explainer.expected_value, dtype=float))
    values = values if values.ndim == 3 else values[:, :, None]
    if values.shape[2] == 2:  # two classes that mirror each other
        values, base = values[:, :, 1:], base[-1:]
    return np.einsum("nfk,fc->nck", values, groups), base[-values.shape[2] :]


def _affordable(trees: Any) -> int:
    """Rows whose TreeSHAP (Lundberg 2018: nodes times squared depth each) stays in the budget."""
    return int(_WORK // max(float(np.sum(trees.num_nodes)) * trees.max_depth**2, 1.0))


def _answers(model: Any, frame: pd.DataFrame, task: Task) -> Values:
    return np.asarray(predict(model, frame, task), dtype=float).reshape(len(frame), -1)


def _mean_steps(
    model: Any,
    row: pd.DataFrame,
    others: pd.DataFrame,
    task: Task,
    orders: Sequence[NDArray[np.intp]],
) -> tuple[Values, Values]:
    """Return (columns, outputs) mean steps from the background's mean answer to the row's."""
    both, n, k = pd.concat([others, row]), len(others), row.shape[1]
    values, base = 0.0, 0.0
    for order in orders:
        place = np.argsort(order)  # of each column in the order
        block, other = np.divmod(np.arange((k + 1) * n), n)
        mixed = pd.DataFrame(
            {
                name: both[name].array.take(np.where(block > place[i], n, other))
                for i, name in enumerate(both.columns)
            }
        )
        means = _answers(model, mixed, task).reshape(k + 1, n, -1).mean(axis=1)
        values = values + np.diff(means, axis=0)[place] / len(orders)
        base = base + means[0] / len(orders)
    return np.asarray(values), np.asarray(base)
