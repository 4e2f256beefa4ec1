"""Spans of time in which the champion stays: of one model, or of the whole environment."""

from trimtab.config.freeze import Freeze
from trimtab.environment import Environment


def holding(env: Environment, model: str) -> Freeze | None:
    """Return the freeze that holds now, of several the one that ends last."""
    now = env.clock.now()
    every = (*env.project.environment.freeze, *env.project.model(model).freeze)
    return max((f for f in every if f.holds(now)), key=lambda f: f.until, default=None)


def shown(freeze: Freeze) -> str:
    """Say a freeze in words."""
    begins, ends = (moment.isoformat(timespec="minutes") for moment in (freeze.from_, freeze.until))
    return f"frozen from {begins} until {ends}: {freeze.reason}"
