"""Everything it takes to know, and to repeat, how a model was made."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from trimtab.config import ModelSpec
from trimtab.config.model import METRICS
from trimtab.environment import Environment
from trimtab.stages.provenance import provenance
from trimtab.stages.search import earlier
from trimtab.training import registry
from trimtab.training.fit import fitted_rows
from trimtab.training.search import Found, Search
from trimtab.types import FeatureSet

BASELINES = ("dummy", "linear")


def description(
    env: Environment,
    spec: ModelSpec,
    features: FeatureSet,
    key: str,
    search: Search,
    found: Found,
) -> dict[str, Any]:
    """Everything it takes to know, and to repeat, how this model was made."""
    rows, task = len(search.data.y), features.task
    scores = search.scores(found.probe, found.validation, METRICS[task])
    classes = getattr(found.probe, "classes_", np.array([])).tolist()
    return {
        "model": spec.model,
        "key": key,
        "task": task,
        "features": features.to_json(),
        "schema": {
            **dict.fromkeys(features.numeric, "float64"),
            **dict.fromkeys(features.categorical, "text"),
            **dict.fromkeys(features.temporal, "time"),
            **dict.fromkeys(features.textual, "text"),
        },
        "categories": _categories(search.data.frame, features),
        "classes": classes,
        "estimator": found.family,
        "params": found.params,
        "metric": search.metric,
        "validation": {name: value for name, value in scores.items() if np.isfinite(value)},
        "trials": [trial.to_json() for trial in found.trials],
        "warm_start": {name: dict(params) for name, params in search.known.items()},
        "tuned_on": _tuned_on(env, spec, key, search),
        "default_score": found.default_value if np.isfinite(found.default_value) else None,
        "search_gain": found.gain if np.isfinite(found.gain) else None,
        "baselines": list(BASELINES),
        "rows": {
            "train": rows,
            "tuning": len(search.fit_rows),
            "validation": len(found.validation),
            "refit": {
                name: fitted_rows(registry.get(name, task), rows)
                for name in dict.fromkeys([found.family, *BASELINES])
            },
        },
        **provenance(env, spec, features),
    }


def told(made: Mapping[str, Any]) -> dict[str, Any]:
    """Read back from a description what the record of a candidate says of its training."""
    return {
        "estimator": made["estimator"],
        "params": made["params"],
        "validation": made["validation"],
        "trials": len(made["trials"]),
        "default_score": made["default_score"],
        "walk_forward": made.get("walk_forward", {}).get("numbers", {}),
        "baselines": tuple(made["baselines"]),
        "tuned_on": made.get("tuned_on"),
        "git_commit": made["git_commit"],
        "dirty": made["code"]["dirty"],
        "config_hash": made["config_hash"],
        "seconds": made["resources"]["seconds"],
    }


def _tuned_on(env: Environment, spec: ModelSpec, key: str, search: Search) -> str | None:
    """Key of the feature set whose search found the parameters that this one began with."""
    last = earlier(env, spec.model, key) if search.known else None
    return str(last["features"]["key"]) if last else None


def _categories(frame: pd.DataFrame, features: FeatureSet, most: int = 250) -> dict[str, list[str]]:
    seen = {name: sorted(frame[name].dropna().unique().tolist()) for name in features.categorical}
    return {name: values[:most] for name, values in seen.items()}
