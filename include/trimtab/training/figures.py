"""The figures of a version as PNG bytes by name, from the winner's trial on validation rows."""

from collections.abc import Callable
from typing import Any

import numpy as np

from trimtab.training.fit import predict
from trimtab.training.learning import learning_curve
from trimtab.training.pictures import calibration, learning, quality, worth
from trimtab.training.search import Found, Search
from trimtab.training.shapley import Contributions
from trimtab.types import Importance

Draw = Callable[[], bytes]


def draw(
    search: Search,
    found: Found,
    importance: Importance,
    told: Contributions | None,
    *,
    target: str = "value",
) -> dict[str, bytes]:
    """Draw quality, calibration, importance, SHAP values if there are any, and learning curve.

    ``target`` names what is predicted, with its unit.
    """
    metric = _told(search.metric)
    pictures = _quality(search, found, target)
    pictures["importance.png"] = worth.bars(importance, metric)
    if told is not None:
        pictures["shap.png"] = worth.swarm(told)
    curve = learning_curve(search, found)
    if len(curve.rows) > 1:
        pictures["learning.png"] = learning.curve(curve.rows, curve.seen, curve.unseen, metric)
    return pictures


def _quality(search: Search, found: Found, target: str) -> dict[str, bytes]:
    rows, task = found.validation, search.how.task
    truth = search.data.y[rows]
    prediction = predict(found.probe, search.data.frame.iloc[rows], task)
    if task == "regression":
        return {"residuals.png": quality.residuals(truth, prediction, target)}
    if task == "multiclass":
        classes = np.asarray(found.probe.classes_).tolist()
        return {
            "confusion.png": quality.confusion(truth, prediction, classes),
            "calibration.png": calibration.multiclass(truth, prediction, classes),
        }
    return _binary(truth, prediction)


def _binary(truth: Any, chance: Any) -> dict[str, bytes]:
    pictures = {"calibration.png": calibration.binary(truth, chance)}
    if 0 < np.mean(truth) < 1:
        pictures["roc.png"] = quality.roc(truth, chance)
        pictures["precision_recall.png"] = quality.precision_recall(truth, chance)
    return pictures


def _told(metric: str) -> str:
    """A metric for an axis; errors carry a minus sign so that higher is always better."""
    name = metric.removeprefix("neg_").replace("_", " ")
    return name if name == metric.replace("_", " ") else f"{name} (negative)"
