"""Python, the libraries with the pins that bite, and Java when Spark is asked for."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata

from packaging.requirements import Requirement

from trimtab.config import Project
from trimtab.platform.doctor.finding import Finding, judged, ok

_NAMED = ("apache-airflow", "deltalake", "polars", "boto3", "mlflow")


def versions(project: Project) -> Iterator[Finding]:
    """Compare what is installed with what trimtab was tested with."""
    wanted = str(metadata.metadata("trimtab")["Requires-Python"])
    python = ".".join(str(part) for part in sys.version_info[:3])
    fits = Requirement(f"python{wanted}").specifier.contains(python)
    yield judged("python", fits, python, f"use Python {wanted}")
    named = ", ".join(f"{name} {metadata.version(name)}" for name in _NAMED)
    yield ok("libraries", named)
    for requirement in map(Requirement, metadata.requires("trimtab") or ()):
        yield from _checked(requirement)
    if any(spec.engine == "spark" for spec in project.datasets.values()):
        yield _java()


def _checked(requirement: Requirement) -> Iterator[Finding]:
    extra = requirement.marker is not None and "extra" in str(requirement.marker)
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        if not extra:
            cure = f"install {requirement.name}{requirement.specifier}"
            yield judged("libraries", False, f"{requirement.name} is missing", cure)
        return
    if not requirement.specifier.contains(version, prereleases=True):
        yield judged(
            "libraries",
            False,
            f"{requirement.name} is {version}, not {requirement.specifier}",
            f"install {requirement.name}{requirement.specifier}",
        )


def _java() -> Finding:
    java = shutil.which("java")
    if java is None:
        cure = "install a Java runtime, such as openjdk-17-jre-headless, or use another engine"
        return judged("java", False, "is missing, and a dataset has engine: spark", cure)
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)  # noqa: S603
    return ok("java", (told.stderr or told.stdout).strip().splitlines()[0])
