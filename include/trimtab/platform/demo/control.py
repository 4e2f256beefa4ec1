"""The control: a model that ignores its features, on the real path, must be refused."""

import dataclasses

from trimtab.environment import Environment
from trimtab.types import GateVerdict


def planted(env: Environment, model: str) -> GateVerdict:
    """Train a constant model as a challenger of ``model`` and let the gate judge it."""
    from trimtab.stages import evaluate, features, train

    spec = env.project.model(model)
    constant = spec.model_copy(
        update={"train": spec.train.model_copy(update={"candidates": ("dummy",)})}
    )
    models = {**env.project.models, model: constant}
    bad = dataclasses.replace(env, project=dataclasses.replace(env.project, models=models))
    rows = features.build_features(bad, model, force=True)
    candidate = train.train(bad, model, rows.key)
    return evaluate.evaluate(env, model, candidate.version)
