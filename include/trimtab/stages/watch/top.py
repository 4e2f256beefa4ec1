"""The features a person would look at first."""

from trimtab.environment import Environment
from trimtab.stages import importance
from trimtab.types import Candidate


def top(env: Environment, candidate: Candidate, most: int) -> tuple[str, ...]:
    """The most important features; all of a version trained before importance was measured."""
    worth = importance.shown(env, candidate)
    names = [column.column for column in worth.columns] if worth else candidate.features.features
    return tuple(names[:most] if most else names)
