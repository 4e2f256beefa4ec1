"""The options every verb has."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from trimtab.environment import Environment

Json = Annotated[
    bool, typer.Option("--json", help="One JSON document on stdout; everything else on stderr.")
]
Debug = Annotated[bool, typer.Option("--debug", help="Log in detail; errors with a traceback.")]
Config = Annotated[
    Path | None,
    typer.Option("--config", help="Config folder [default: TRIMTAB_CONFIG or ./config]."),
]
Home = Annotated[
    Path | None,
    typer.Option("--home", help="Home folder [default: TRIMTAB_HOME or ./.trimtab]."),
]
Project = Annotated[
    Path | None,
    typer.Option(
        "--project", help="Folder that holds dags/ and plugins/ [default: the config's parent]."
    ),
]
By = Annotated[str | None, typer.Option("--by", help="Who decides [default: the OS user].")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept in the ledger.")]
ModelVersion = Annotated[str, typer.Argument(metavar="MODEL@VERSION", help="Such as late@3.")]
AirflowPort = Annotated[int | None, typer.Option("--airflow-port", min=1, max=65535)]
MlflowPort = Annotated[int | None, typer.Option("--mlflow-port", min=1, max=65535)]


def model_version(text: str) -> tuple[str, int]:
    """Split MODEL@VERSION; a v before the number is fine.

    Raises:
        BadParameter: it is something else.
    """
    model, version = maybe_version(text)
    if version is None:
        raise typer.BadParameter("write MODEL@VERSION, such as late@3", param_hint="MODEL@VERSION")
    return model, version


def maybe_version(text: str) -> tuple[str, int | None]:
    """Split MODEL or MODEL@VERSION; None: no version was named.

    Raises:
        BadParameter: it is something else.
    """
    model, at, version = text.partition("@")
    if model and not at:
        return model, None
    if not model or not version.removeprefix("v").isdigit():
        hint = "MODEL[@VERSION]"
        raise typer.BadParameter("write MODEL or MODEL@VERSION, such as late@3", param_hint=hint)
    return model, int(version.removeprefix("v"))


def home_folder(given: Path | None) -> Path:
    """The home folder that was given, else the default one."""
    from trimtab.paths import default_home

    return given.resolve() if given else default_home()


def config_folder(given: Path | None) -> Path:
    """The config folder that was given, else the default one.

    Raises:
        ConfigError: there is no such folder.
    """
    from trimtab.errors import ConfigError, Problem
    from trimtab.paths import default_config

    folder = given.resolve() if given else default_config()
    if not folder.is_dir():
        fix = "go to the project's folder, or name its config folder with --config"
        raise ConfigError([Problem(str(folder), 1, "--config", "there is no such folder", fix)])
    return folder


def open_project(config: Path | None, home: Path | None) -> "Environment":
    """Open the environment of these folders."""
    from trimtab.environment import open_environment

    return open_environment(home=home_folder(home), config=config_folder(config), actor=os_user())


def os_user() -> str:
    """Name who types; by number where the system has no name, as in a container."""
    import getpass
    import os

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def open_dataset(config: Path | None, home: Path | None, dataset: str) -> "Environment":
    """Open the environment of these folders, provided that it has this dataset."""
    env = open_project(config, home)
    env.project.dataset(dataset)
    return env
