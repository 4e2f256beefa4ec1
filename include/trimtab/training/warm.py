"""Where the last search ended, as a place for the next one to begin."""

from collections.abc import Mapping, Sequence
from typing import Any

import optuna

from trimtab.training.registry import Estimator


def best_params(
    trials: Sequence[Mapping[str, Any]], families: Sequence[Estimator]
) -> dict[str, dict[str, Any]]:
    """Return the best parameters of every family of a recorded search, inside today's spaces.

    A parameter that is gone is left out; one that is new, or whose range has moved away, takes
    its default. A family of which nothing is left but its defaults is not named.
    """
    found = {}
    for family in families:
        done = [t for t in trials if t["family"] == family.name and _complete(t)]
        if done and family.space:
            best = max(done, key=lambda trial: trial["value"])
            params = inside(family, best["params"])
            if params != dict(family.defaults):
                found[family.name] = params
    return found


def inside(family: Estimator, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``params`` with defaults where the family's present space does not hold them."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study()
    study.enqueue_trial(dict(family.defaults))
    trial = study.ask()
    if family.space:
        family.space(trial)
    kept = dict(family.defaults)
    for name, distribution in trial.distributions.items():
        if name in params and _holds(name, params[name], distribution):
            kept[name] = params[name]
    return kept


def _complete(trial: Mapping[str, Any]) -> bool:
    return trial.get("state", "complete") == "complete" and trial["value"] is not None


def _holds(name: str, value: Any, distribution: Any) -> bool:
    try:
        optuna.trial.create_trial(
            params={name: value}, distributions={name: distribution}, value=0.0
        )
    except (ValueError, TypeError):
        return False
    return True
