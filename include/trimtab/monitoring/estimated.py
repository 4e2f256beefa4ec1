"""What the primary metric would be if the labels were known: estimated, while they are not.

Both methods are those of NannyML (docs, "How it works: performance estimation"), written anew.
Classification, CBPE: a probability that is calibrated says how often the label will be 1, so every
row counts as a positive with weight p and as a negative with weight 1 - p, and the metric of these
weighted rows is what it will be on average. Regression, DLE: a second model has learnt on the
hold-out how large the first one's error is for which inputs.

Both see a change of the inputs. Neither can see a change of the relation between inputs and label
(concept drift): they assume that it still holds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import hypot, isfinite
from typing import Any

import numpy as np

from trimtab.monitoring import blocks as by_block
from trimtab.monitoring.blocks import Spread, Value
from trimtab.monitoring.truth import Known, Metric

FOLDS = 4
SQUARED = ("r2", "neg_root_mean_squared_error")


@dataclass(frozen=True)
class Unlabelled:
    """Rows whose label is not known: ``prediction`` (n,) or (n, k), ``blocks`` and ``inputs``."""

    prediction: Any
    blocks: Any
    inputs: Any = None


@dataclass(frozen=True)
class Estimate:
    """An estimated metric beside the realised one of the reference.

    ``p_value`` is the chance of an estimate at least as low when the inputs have not changed.
    """

    value: float
    expected: float
    p_value: float
    interval: tuple[float, float] | None = None


def classification(
    now: Unlabelled, before: Known, metric: Metric, classes: Sequence[Any] | None
) -> Estimate:
    """Estimate by confidence (CBPE); the hold-out calibrates."""
    calibrate = calibration(before, classes)
    guess = [
        _weighted(rows.prediction, calibrate(rows.prediction), metric, classes)
        for rows in (now, before)
    ]
    return _estimate(guess[0], now.blocks, guess[1], before, metric)


def regression(now: Unlabelled, before: Known, metric: Metric, name: str) -> Estimate:
    """Estimate by loss (DLE); a second model learns on the hold-out, fold by fold."""
    losses = np.abs(before.truth - before.prediction)
    losses = losses**2 if name in SQUARED else losses
    ours, theirs = _losses(now, before, losses)
    guess = [
        _from_losses(name, each, rows.prediction) for each, rows in ((ours, now), (theirs, before))
    ]
    return _estimate(guess[0], now.blocks, guess[1], before, metric)


def calibration(before: Known, classes: Sequence[Any] | None) -> Callable[[Any], Any]:
    """Learn on the hold-out how often it happens when the model says p: isotonic regression."""
    from sklearn.isotonic import IsotonicRegression

    def learnt(said: Any, happened: Any) -> Any:
        made = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
        return made.fit(said, happened.astype(float))

    if classes is None:
        return learnt(before.prediction, before.truth == 1).predict  # type: ignore[no-any-return]
    each = [
        learnt(before.prediction[:, k], before.truth == label) for k, label in enumerate(classes)
    ]

    def shares(said: Any) -> Any:
        chances = np.column_stack([one.predict(said[:, k]) for k, one in enumerate(each)])
        total = chances.sum(axis=1, keepdims=True)
        return np.divide(chances, total, out=np.full_like(chances, 1 / len(each)), where=total > 0)

    return shares


def _weighted(said: Any, chances: Any, metric: Metric, classes: Sequence[Any] | None) -> Value:
    """Every row with each label it may have, as heavy as that label is likely."""
    labels: Sequence[Any] = (1, 0) if classes is None else classes
    chance = np.stack([chances, 1 - chances]) if classes is None else chances.T

    def of(keep: Any) -> float:
        rows = said[keep]
        truth = np.repeat(np.asarray(labels), len(rows))
        repeated = np.concatenate([rows] * len(labels))
        return float(metric(truth, repeated, chance[:, keep].ravel()))

    return of


def _losses(now: Unlabelled, before: Known, losses: Any) -> tuple[Any, Any]:
    """Expected loss of the rows now (mean of the folds' models), and of the reference (unseen)."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    mine = np.column_stack([before.inputs, before.prediction])
    theirs = np.column_stack([now.inputs, now.prediction])
    folds = np.unique(before.blocks, return_inverse=True)[1] % FOLDS
    found, unseen = np.zeros(len(theirs)), np.full(len(mine), losses.mean())
    for fold in range(FOLDS):
        learn = folds != fold
        model = HistGradientBoostingRegressor(
            max_iter=80,
            max_leaf_nodes=15,
            min_samples_leaf=30,
            early_stopping=False,
            random_state=0,
        ).fit(mine[learn], losses[learn])
        found += np.maximum(model.predict(theirs), 0.0) / FOLDS
        if not learn.all():
            unseen[~learn] = np.maximum(model.predict(mine[~learn]), 0.0)
    return found, unseen


def _from_losses(name: str, losses: Any, prediction: Any) -> Value:
    """The metric of expected losses; of R2 the answers and their errors make up the variance."""

    def of(keep: Any) -> float:
        mean = float(losses[keep].mean())
        if name == "neg_root_mean_squared_error":
            return -float(np.sqrt(mean))
        return 1 - mean / (float(prediction[keep].var()) + mean) if name == "r2" else -mean

    return of


def _estimate(now: Value, blocks: Any, before: Value, known: Known, metric: Metric) -> Estimate:
    """What the method says now, put right by how far off it is where the truth is known."""
    there = by_block.spread(before, known.blocks)
    here = by_block.borrowed(by_block.spread(now, blocks), there)
    realised = known.value(metric)
    off = by_block.spread(lambda keep: realised(keep) - before(keep), known.blocks)
    value, expected = here.value + off.value, there.value + off.value
    chance = by_block.chance_of_fall(here, there)
    return Estimate(value, expected, chance, _interval(value, here, off))


def _interval(value: float, here: Spread, off: Spread) -> tuple[float, float] | None:
    if not isfinite(here.error) or not isfinite(off.error):
        return None
    error = hypot(here.error, off.error)
    return Spread(value, error, min(here.freedom, off.freedom)).interval
