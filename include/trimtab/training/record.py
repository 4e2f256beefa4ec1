"""What made a model: identity, configuration, libraries. Written into its package."""

import functools
import platform
import re
from importlib.metadata import PackageMetadata, PackageNotFoundError, distributions, version
from pathlib import Path

import trimtab
from trimtab.config import ModelSpec
from trimtab.ledger.chain import digest
from trimtab.training import package

# What rows, fit and prediction go through: another version may give other numbers.
LIBRARIES = (
    "scikit-learn",
    "numpy",
    "scipy",
    "pandas",
    "polars",
    "pyarrow",
    "duckdb",
    "deltalake",
    "skops",
    "joblib",
    "threadpoolctl",
    "optuna",
    "lightgbm",
    "xgboost",
    "xgboost-cpu",
    "skrub",
    "shap",
    "mlflow",
)
_LONGEST_LICENCE = 100  # characters; longer ones are the licence itself
_LOCKS = ("uv.lock", "pylock.toml", "poetry.lock", "requirements.txt")


def candidate_key(features_key: str, spec: ModelSpec) -> str:
    """Identity of a training: its rows, how it is trained, and by which release of trimtab."""
    train, gate = spec.train.model_dump(mode="json"), spec.gate
    return digest(
        [features_key, train, gate.primary, gate.versus_champion.margin, trimtab.__version__]
    )


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


@functools.cache
def installed() -> dict[str, str]:
    """Name and version of every distribution that is installed, looked up once per process."""
    found = {_normal(each.metadata["Name"]): each.version for each in distributions()}
    return dict(sorted(found.items()))


@functools.cache
def licences() -> dict[str, str]:
    """Licence of every installed distribution as its metadata tell it, for those that do."""
    found = {_normal(each.metadata["Name"]): _licence(each.metadata) for each in distributions()}
    return {name: text for name, text in sorted(found.items()) if text}


def lock_file(folder: Path) -> Path | None:
    """Find the project's lock file in the configuration's folder and the two above it."""
    for place in (folder, *list(folder.resolve().parents)[:2]):
        for name in _LOCKS:
            if (place / name).is_file():
                return place / name
    return None


def lock(folder: Path) -> dict[str, str]:
    """Name and SHA-256 of the project's lock file; of all that is installed when there is none."""
    if file := lock_file(folder):
        return {"name": file.name, "sha256": package.sha256(file)}
    return {"name": "installed distributions", "sha256": digest(installed())}


def _licence(metadata: PackageMetadata) -> str:
    """An SPDX expression where there is one, else the licence's name in a line, else its class."""
    fields = ("License-Expression", "License", "Classifier")
    expressions, named, classes = (metadata.get_all(field) or [] for field in fields)
    about = [text.rsplit(" :: ", 1)[-1] for text in classes if text.startswith("License ::")]
    names = [text.strip() for text in (*expressions, *named)] + about
    short = (name for name in names if name and len(name) <= _LONGEST_LICENCE and "\n" not in name)
    return next((name for name in short if name not in ("UNKNOWN", "OSI Approved")), "")


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
