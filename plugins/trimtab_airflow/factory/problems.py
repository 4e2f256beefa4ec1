"""One import error that lists every problem of every file."""

from collections.abc import Iterator
from pathlib import Path

from trimtab.config import Project
from trimtab.errors import ConfigError, Problem
from trimtab_airflow.factory.family import check_cron
from trimtab_airflow.factory.project import read_project


def raise_problems(config: Path | None = None) -> None:
    """Raise one error about everything in the config folder that cannot be used.

    Raises:
        ConfigError: at least one file has a problem.
    """
    project = read_project(config)
    if found := [*project.problems, *_schedules(project)]:
        raise ConfigError(found)


def _schedules(project: Project) -> Iterator[Problem]:
    """Check the cron expressions, which only Airflow understands."""
    for name, dataset in project.datasets.items():
        yield from _cron(project.folder / "datasets" / f"{name}.yaml", "sweep", dataset.sweep)
    for name, model in project.models.items():
        file = project.folder / "models" / f"{name}.yaml"
        yield from _cron(file, "score.schedule", model.score.schedule)
        yield from _cron(file, "monitor.schedule", model.monitor.schedule)


def _cron(file: Path, key: str, text: str) -> Iterator[Problem]:
    try:
        check_cron(text)
    except ValueError as error:
        fix = "write five fields such as '0 3 * * *', or @hourly, @daily, @weekly"
        yield Problem(str(file), 1, key, str(error), fix)
