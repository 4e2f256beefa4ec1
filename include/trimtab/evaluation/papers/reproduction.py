"""How to make the version again: the configuration it was made with, and a script."""

import shlex
from collections.abc import Mapping
from typing import Any

import yaml

from trimtab.evaluation.papers.facts import Facts

_FOLDERS = {"datasets": "datasets", "views": "features"}  # of the catalogue, in the config folder


def configuration(facts: Facts) -> dict[str, str]:
    """Return the files of a config folder as they were when it was trained, defaults included."""
    model = facts.candidate.model
    found = {f"models/{model}.yaml": _yaml(facts.made["config"])}
    for kind, folder in _FOLDERS.items():
        for name, definition in facts.made["catalog"][kind].items():
            found[f"{folder}/{name}.yaml"] = _yaml(definition)
    return found


def script(facts: Facts) -> str:
    """Return a shell script that rebuilds the version and compares its predictions."""
    name = shlex.quote(facts.name)
    return f"""#!/bin/sh
# Trains {facts.name} again from its record and compares its predictions; 0 when they are equal.
# Run it in the project's folder, where `trimtab` knows the lake and the ledger of the version.
# code:     {_commit(facts)}
# software: {_software(facts)}
# data:     {", ".join(source.name for source in facts.sources)}
set -eu
exec trimtab reproduce {name} "$@"
"""


def _commit(facts: Facts) -> str:
    commit = facts.candidate.git_commit
    if commit is None:
        return "no repository; config/ beside this file is what it was made with"
    dirty = ", with changes that were not committed" if facts.candidate.dirty else ""
    return f"git checkout {commit}{dirty}"


def _software(facts: Facts) -> str:
    lock = facts.made["lock"]
    if lock["name"] == "uv.lock":
        return f"uv sync --frozen, with uv.lock of SHA-256 {lock['sha256']}"
    return "pip install -r environment/requirements.txt"


def _yaml(content: Mapping[str, Any]) -> str:
    return yaml.safe_dump(_told(content), sort_keys=False, allow_unicode=True, width=100)


def _told(content: Any) -> Any:
    """Leave out what is not set: a key without a value reads as a mistake."""
    if isinstance(content, Mapping):
        return {name: _told(each) for name, each in content.items() if each is not None}
    return [_told(each) for each in content] if isinstance(content, list) else content
