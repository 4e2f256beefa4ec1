"""The user's own fit: a registered function that gets frames and returns a fitted model."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trimtab.config.model import Task, Train
from trimtab.errors import TrimtabError
from trimtab.training import weights
from trimtab.training.registry import Estimator, register
from trimtab.training.split import Data, Rows


@dataclass(frozen=True)
class Context:
    """What a training function may want to know beside the rows; arrays have one value a row.

    ``time`` is there when the model is split by time, ``group`` when by group, ``weight`` when
    rows do not all count alike (``train.weight`` and ``train.balance`` together, 1 on average).
    """

    task: Task
    seed: int
    time: NDArray[np.datetime64] | None
    group: NDArray[np.generic] | None
    weight: NDArray[np.float64] | None


TrainingFunction = Callable[[Any, Any, Context], Any]


def training_function(name: str) -> Callable[[TrainingFunction], TrainingFunction]:
    """Register the decorated ``(frame, target, context) -> fitted model`` under ``name``.

    The frame (pandas) holds the model's features as numbers, text and UTC times, nulls among
    them. What comes back takes such a frame in ``predict`` and, of classes, ``predict_proba``.
    """

    def decorated(function: TrainingFunction) -> TrainingFunction:
        register(Estimator(name, function, function=function))
        return function

    return decorated


def call(
    name: str, function: TrainingFunction, task: Task, train: Train, data: Data, rows: Rows
) -> Any:
    """Let a training function fit ``rows``, and see that what it returns can predict.

    Raises:
        TrimtabError: names the function and what is wrong with what it returned.
    """
    frame, y = data.frame.iloc[rows].reset_index(drop=True), data.y[rows]
    context = Context(
        task=task,
        seed=train.seed,
        time=None if data.time is None else data.time[rows],
        group=None if data.group is None else data.group[rows],
        weight=weights.total(train, data, rows),
    )
    model = function(frame.copy(), y.copy(), context)
    if wrong := _wrong(model, frame.head(5), y, task):
        raise TrimtabError(f"training function {name} {wrong}")
    return model


def _wrong(model: Any, frame: Any, y: Any, task: Task) -> str:
    """Say why a model cannot be used; empty when it can."""
    needed = "predict" if task == "regression" else "predict_proba"
    if not callable(getattr(model, needed, None)):
        return f"returned {_kind(model)}, which has no {needed}; return a fitted {task} model"
    try:
        found = np.asarray(getattr(model, needed)(frame))
    except Exception as error:  # a user's model may raise anything
        said = f"{type(error).__name__}: {error}"
        return f"returned {_kind(model)}, which cannot {needed} the rows it was given: {said}"
    if task == "regression":
        return "" if found.shape == (len(frame),) else _shape(model, needed, found, "one number")
    classes = np.asarray(getattr(model, "classes_", ())).tolist()
    if odd := sorted(set(classes) ^ set(np.unique(y).tolist()), key=str):
        return f"returned {_kind(model)}, whose classes_ differ from the target's by {odd}"
    wanted = (len(frame), len(classes))
    return "" if found.shape == wanted else _shape(model, needed, found, f"{len(classes)} numbers")


def _shape(model: Any, needed: str, found: Any, wanted: str) -> str:
    return f"returned {_kind(model)}, whose {needed} gives {found.shape}, not {wanted} a row"


def _kind(model: Any) -> str:
    return f"a {type(model).__module__}.{type(model).__qualname__}"
