"""Numbers inside a fitted model that are none, and answers that never change.

A NaN in a leaf that few rows reach spoils few predictions, so looking at predictions is not
enough: what a model has learnt is looked through, attribute by attribute.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import sparse

from trimtab.evaluation import words
from trimtab.types import Rule

RULE, CONSTANT = "numerical_health", "varied_answers"
_SHOWN = 3
# Learnt attributes of scikit-learn that may hold NaN or infinity and mean it: a missing category,
# a column without any value, open ends, a share of no variance.
_MEANT = {
    "bin_edges_",
    "bin_thresholds_",
    "categories_",
    "explained_variance_ratio_",
    "statistics_",
}
_OPAQUE = ("sklearn._loss", "scipy", "numpy", "pandas", "polars", "builtins")
_BASELINE = "_baseline_prediction"  # of histogram boosting


def rule(model: Any) -> Rule:
    """Refuse a model with NaN or infinity among what it has learnt."""
    fitted = getattr(model, "pipeline", model)  # of a loaded model
    bad = [where for where, numbers in _numbers(fitted, "model", set()) if not _finite(numbers)]
    reason = "Everything the model has learnt is a finite number."
    if bad:
        more = f" and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
        reason = (
            f"The model has learnt numbers that are none (NaN or infinite): "
            f"{', '.join(bad[:_SHOWN])}{more}. Look for infinite or constant columns, scale the "
            "numbers, or lower the learning rate."
        )
    return Rule(
        name=RULE, passed=not bad, value=len(bad), limit=0, reason=reason, about="robustness"
    )


def varied(prediction: np.ndarray) -> Rule:
    """Refuse a model that says the same of every row."""
    spread = float(np.ptp(prediction, axis=0).max()) if len(prediction) else 0.0
    reason = f"The challenger's answers vary, by {words.number(spread)} at most."
    if not spread:
        first = words.number(float(prediction.reshape(-1)[0])) if prediction.size else "nothing"
        reason = f"The challenger says {first} of every row: it has learnt nothing."
    return Rule(
        name=CONSTANT, passed=spread > 0, value=spread, limit=0, reason=reason, about="robustness"
    )


def _finite(numbers: Any) -> bool:
    return bool(np.isfinite(numbers).all())


def _numbers(thing: Any, where: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Yield what a thing has learnt, with the path to it; nothing twice."""
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, np.ndarray):
        yield from _of_array(thing, where, seen)
    elif isinstance(thing, float | np.floating):
        yield where, thing
    elif sparse.issparse(thing):
        yield f"{where}.data", thing.data
    elif isinstance(thing, list | tuple):
        for i, each in enumerate(thing):
            yield from _numbers(each, f"{where}[{i}]", seen)
    elif isinstance(thing, dict):
        for key, each in thing.items():
            yield from _numbers(each, f"{where}.{key}", seen)
    else:
        yield from _of_object(thing, where, seen)


def _of_array(array: np.ndarray, where: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    if array.dtype.kind == "f":
        yield where, array
    elif array.dtype.names and "value" in array.dtype.names:  # nodes; thresholds may be infinite
        yield f"{where}.value", array["value"]
    elif array.dtype.kind == "O":
        for i, each in enumerate(array.flat):
            yield from _numbers(each, f"{where}[{i}]", seen)


def _of_object(thing: Any, where: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    kind = type(thing)
    if kind.__name__ == "Tree" and kind.__module__.startswith("sklearn.tree"):
        yield f"{where}.value", thing.value
    elif kind.__name__ == "Booster":
        yield f"{where} (leaves)", _leaves(thing)
    elif hasattr(thing, "__dict__") and not kind.__module__.startswith(_OPAQUE):
        learnt = not hasattr(thing, "get_params")  # of an estimator only what ends with _
        for name, each in vars(thing).items():
            plain = isinstance(each, float | np.floating | np.ndarray) and not _objects(each)
            told = learnt or name.endswith("_") or name == _BASELINE
            if name not in _MEANT and (told or not plain):
                yield from _numbers(each, f"{where}.{name}", seen)


def _objects(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "O"


def _leaves(booster: Any) -> np.ndarray:
    """Leaf values of LightGBM (its text form) or XGBoost (its dump)."""
    if hasattr(booster, "model_to_string"):
        lines = booster.model_to_string().splitlines()
        texts = [v for line in lines if line.startswith("leaf_value=") for v in line[11:].split()]
    else:
        dumped = "\n".join(booster.get_dump())
        texts = [part.split("\n")[0].split(",")[0] for part in dumped.split("leaf=")[1:]]
    return np.asarray(texts, dtype=float)
