"""Learn a dataset's contract and its first model from one file.

>>> from pathlib import Path
>>> from trimtab.stages.new import learn
>>> learn(Path("sales.csv"), "late", config=Path("config"), home=Path(".trimtab"))  # doctest: +SKIP
"""

import getpass
import logging
import os
from dataclasses import dataclass
from pathlib import Path

from trimtab.config.loader import load_environment
from trimtab.errors import ConfigError, Problem
from trimtab.paths import default_environment
from trimtab.profiling import contract, model, page, profile, reading
from trimtab.profiling.columns import slug
from trimtab.profiling.findings import Finding, find
from trimtab.profiling.profile import Profile

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Learned:
    """What was learned, and where it was written."""

    dataset: str
    model: str
    profile: Profile
    findings: tuple[Finding, ...]
    files: tuple[Path, Path]
    page: Path
    landing: Path


def learn(
    file: Path,
    target: str,
    *,
    config: Path,
    home: Path,
    name: str | None = None,
    force: bool = False,
) -> Learned:
    """Profile ``file``; write its contract, a model of ``target``, and the page of the profile.

    Raises:
        ConfigError: a file is there already and ``force`` is not set, or the name is no name.
        DataError: the file is no table, or its target cannot be learned.
    """
    dataset = _dataset_name(file, name)
    named = _model_name(dataset, slug(target))
    files = config / "datasets" / f"{dataset}.yaml", config / "models" / f"{named}.yaml"
    if not force:
        _refuse_overwriting(files)
    found = profile.profile(reading.read(file), target)
    owner = _owner()
    _write(files[0], contract.dataset(found, dataset, owner))
    _write(files[1], model.model(found, named, dataset, owner))
    report = home / _lake(config) / "reports" / "datasets" / dataset / "profile.html"
    _write(report, page.html(found, dataset))
    log.info("%s: %d columns, %d rows", file, len(found.columns), found.rows.height)
    landing = home / "landing" / dataset
    return Learned(dataset, named, found, tuple(find(found)), files, report, landing)


def _dataset_name(file: Path, name: str | None) -> str:
    stem = file.name.removesuffix(".gz").rsplit(".", 1)[0]
    wanted = name if name is not None else slug(stem)
    if not wanted or wanted != slug(wanted):
        fix = f"for example {slug(wanted) or 'table'!r}"
        problem = "a name is lower case letters, digits and _, begins with a letter, 40 at most"
        raise ConfigError([Problem(str(file), 1, "--name", f"{wanted!r}: {problem}", fix)])
    return wanted


def _model_name(dataset: str, target: str) -> str:
    room = max(19, 39 - len(target))  # the two and a _ between them are 40 at most
    return f"{dataset[:room]}_{target}"[:40].strip("_")


def _refuse_overwriting(files: tuple[Path, ...]) -> None:
    there = [
        Problem(str(file), 1, "(file)", "is there already", "--force, or another --name")
        for file in files
        if file.exists()
    ]
    if there:
        raise ConfigError(there)


def _lake(config: Path) -> str:
    return load_environment(config, default_environment()).lake


def _owner() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return f"user {os.getuid()}"


def _write(file: Path, text: str) -> None:
    """Write aside, then rename: a reader never sees half a file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    aside.write_text(text, encoding="utf-8")
    aside.replace(file)
