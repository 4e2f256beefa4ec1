"""What made a model: code, libraries, configuration. Written into its package."""

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import trimtab
from trimtab.config import ModelSpec
from trimtab.ledger.chain import digest

LIBRARIES = ("scikit-learn", "numpy", "scipy", "pandas", "skops", "optuna", "polars", "mlflow")


def candidate_key(features_key: str, spec: ModelSpec) -> str:
    """Identity of a training: its rows, how it is trained, and by which release of trimtab."""
    train = spec.train.model_dump(mode="json")
    return digest([features_key, train, spec.gate.primary, trimtab.__version__])


def config_hash(spec: ModelSpec) -> str:
    """Hash of the whole model file with its defaults."""
    return digest(spec.model_dump(mode="json", by_alias=True))


def libraries() -> dict[str, str]:
    """Versions of the libraries that shape a model, and of Python."""
    found = {"python": platform.python_version(), "trimtab": trimtab.__version__}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def git_commit(folder: Path) -> str | None:
    """Commit of the configuration's repository, ``+dirty`` with uncommitted changes."""
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return None
    return commit + ("+dirty" if _git(folder, "status", "--porcelain", "--", ".") else "")


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 fixed arguments, no shell
            ["git", "-C", str(folder), *arguments],  # noqa: S607 the user's own git
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
