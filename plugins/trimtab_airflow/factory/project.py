"""The project as the DAG processor reads it: config files and the names of the estimators."""

import dataclasses
from pathlib import Path

from trimtab.config import Project, load_project
from trimtab.errors import Problem, TrimtabError
from trimtab.paths import default_config, default_environment
from trimtab.training import registry


def read_project(config: Path | None = None) -> Project:
    """Read every file; what cannot be used is left out and stands in ``problems``.

    A module of a user's own estimators that cannot be imported is a problem too, not an end: the
    models that do not need it go on.
    """
    folder, place = config or default_config(), default_environment()
    try:
        names = registry.names()
        return load_project(folder, place, estimators=names, functions=registry.functions())
    except TrimtabError as error:
        module = Problem(f"{registry.USER_MODULE}.py", 1, "(module)", str(error), "correct it")
        project = load_project(folder, place)
        return dataclasses.replace(project, problems=(*project.problems, module))
