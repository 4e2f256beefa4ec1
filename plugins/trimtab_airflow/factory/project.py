"""The project as the DAG processor reads it: config files and the names that are registered."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from trimtab.config import Project, load_project
from trimtab.config.registered import Registered
from trimtab.errors import Problem, TrimtabError
from trimtab.evaluation import registry as evaluation
from trimtab.features import registry as features
from trimtab.monitoring import registry as monitoring
from trimtab.paths import default_config, default_environment
from trimtab.training import registry as training

T = TypeVar("T")


def read_project(config: Path | None = None) -> Project:
    """Read every file; what cannot be used is left out and stands in ``problems``.

    A module of a user's own estimators or features that cannot be imported is a problem too, not
    an end: the models that do not need it go on.
    """
    folder, place = config or default_config(), default_environment()
    problems: list[Problem] = []
    registered = Registered(
        _names(problems, training.USER_MODULE, training.names),
        _names(problems, training.USER_MODULE, training.functions),
        _names(problems, features.USER_MODULE, features.functions),
        _names(problems, evaluation.USER_MODULE, evaluation.names),
        _names(problems, monitoring.USER_MODULE, monitoring.names),
    )
    project = load_project(folder, place, registered=registered)
    return dataclasses.replace(project, problems=(*project.problems, *problems))


def _names(problems: list[Problem], module: str, names: Callable[[], T]) -> T | None:
    try:
        return names()
    except TrimtabError as error:
        problem = Problem(f"{module}.py", 1, "(module)", str(error), "correct it")
        if problem not in problems:  # a module may register names of two kinds
            problems.append(problem)
        return None
