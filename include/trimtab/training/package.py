"""The folder of a model version: written aside, hashed, renamed. Never changed afterwards."""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trimtab import trusted
from trimtab.errors import IntegrityError, TrimtabError

MANIFEST, DESCRIPTION, EXAMPLE = "manifest.json", "model.json", "input_example.json"
IMPORTANCE, FIGURES = "importance.json", "figures"


def folder(lake: Path, model: str, key: str) -> Path:
    """Where the version of candidate ``key`` lies."""
    return lake / "models" / model / key[:16]


def write(
    target: Path,
    models: Mapping[str, Any],
    description: Mapping[str, Any],
    example: str,
    files: Mapping[str, bytes] | None = None,
) -> dict[str, str]:
    """Write ``<name>.skops`` for every model, what describes them, and further ``files``.

    A second writer of the same folder keeps what the first one wrote. Return the manifest.
    """
    if target.exists():
        return read_manifest(target)
    aside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    for name, model in models.items():
        (aside / f"{name}.skops").write_bytes(dumped(name, model))
    (aside / DESCRIPTION).write_text(json.dumps(description, indent=1, sort_keys=True))
    (aside / EXAMPLE).write_text(example)
    for name, data in (files or {}).items():
        (aside / name).parent.mkdir(parents=True, exist_ok=True)
        (aside / name).write_bytes(data)
    there = sorted(file for file in aside.rglob("*") if file.is_file())
    manifest = {file.relative_to(aside).as_posix(): _sha256(file) for file in there}
    (aside / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True))
    try:
        aside.rename(target)
    except OSError:  # somebody else was first
        shutil.rmtree(aside, ignore_errors=True)
    return read_manifest(target)


def dumped(name: str, model: Any) -> bytes:
    """Return a model's bytes, sure that they can be loaded.

    Raises:
        TrimtabError: names the types in it that cannot be saved, or that no loader takes.
    """
    import skops.io

    try:
        data: bytes = skops.io.dumps(model)
        types = skops.io.get_untrusted_types(data=data)
    except Exception as error:  # whatever a type that skops cannot write makes it raise
        said = f"{type(error).__name__}: {error}"
        raise TrimtabError(f"{name} cannot be saved: {said}; keep functions out of it") from error
    if odd := trusted.unknown(types):
        raise TrimtabError(
            f"{name} holds {', '.join(odd)}, which trimtab would not load; if a class of your own "
            f"is among them, allow it in {trusted.USER_MODULE}: registry.allow(TheClass)"
        )
    return data


def read_manifest(target: Path) -> dict[str, str]:
    """Return the manifest of a finished folder after checking every file against it.

    Raises:
        IntegrityError: a file is missing or is not what was written.
    """
    manifest: dict[str, str] = json.loads((target / MANIFEST).read_text())
    for name, expected in manifest.items():
        if not (target / name).is_file() or _sha256(target / name) != expected:
            raise IntegrityError(
                f"{target / name} is not what its manifest says; remove the folder to train again"
            )
    return manifest


def describe(target: Path) -> dict[str, Any]:
    """Return what a finished folder says about its model."""
    description: dict[str, Any] = json.loads((target / DESCRIPTION).read_text())
    return description


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
