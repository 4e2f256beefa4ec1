"""Where a model comes from: data, definitions, code, libraries, machine. Enough to repeat it."""

from typing import Any

from trimtab.config import ModelSpec
from trimtab.config.catalog import Catalog
from trimtab.data.identity import identity
from trimtab.environment import Environment
from trimtab.ledger.chain import digest
from trimtab.training import machine, package, record, source
from trimtab.types import FeatureSet


def provenance(env: Environment, spec: ModelSpec, features: FeatureSet) -> dict[str, Any]:
    """Return what a rebuild needs and compares, as plain values for ``model.json``."""
    code = source.code(env.project.folder)
    return {
        "seed": spec.train.seed,
        "config": spec.model_dump(mode="json", by_alias=True),
        "config_hash": record.config_hash(spec),
        "catalog": definitions(env.project.catalog, spec, features),
        "data": {name: identity(env, name, at) for name, at in features.versions.items()},
        "code": code.to_json(),
        "git_commit": code.commit,
        "lock": record.lock(env.project.folder),
        "libraries": record.libraries(),
        "installed": {
            "sha256": digest(record.installed()),
            "versions": record.installed(),
            "licences": record.licences(),
        },
        "hardware": machine.hardware(),
    }


def lock_key(sha256: str) -> str:
    """Key in the store of a lock file, kept once for all versions that were made with it."""
    return f"locks/{sha256}"


def keep_lock(env: Environment) -> None:
    """Keep the project's lock file; the papers of the versions made with it need its text."""
    if file := record.lock_file(env.project.folder):
        key = lock_key(package.sha256(file))
        if not env.store.exists(key):
            env.store.write(key, file.read_bytes())


def definitions(catalog: Catalog, spec: ModelSpec, features: FeatureSet) -> dict[str, Any]:
    """Return the datasets and feature views a model used, as they were written out in full."""
    used = {name: catalog.views[name] for name in (use.view for use in spec.data.views)}
    datasets = {name: catalog.datasets[name] for name in features.versions}
    return {
        "datasets": _plain(datasets),
        "views": _plain(used),
        "sha256": digest([_plain(datasets), _plain(used)]),
    }


def _plain(specs: dict[str, Any]) -> dict[str, Any]:
    return {
        name: each.model_dump(mode="json", by_alias=True) for name, each in sorted(specs.items())
    }
