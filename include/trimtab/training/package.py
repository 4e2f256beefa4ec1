"""The folder of a model version: written aside, hashed, renamed. Never changed afterwards."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trimtab import trusted
from trimtab.errors import IntegrityError, TrimtabError

MANIFEST, DESCRIPTION, EXAMPLE = "manifest.json", "model.json", "input_example.json"
RECORDED, IMPORTANCE, FIGURES = "recorded.parquet", "importance.json", "figures"
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


def folder(lake: Path, model: str, key: str) -> Path:
    """Where the version of candidate ``key`` lies."""
    return lake / "models" / model / key[:16]


def write(
    target: Path,
    models: Mapping[str, bytes],
    description: Mapping[str, Any],
    example: str,
    files: Mapping[str, bytes] | None = None,
) -> dict[str, str]:
    """Write ``<name>.skops`` for every model, what describes them, and further ``files``.

    ``files`` are named by their path in the folder, such as ``figures/roc.png``. A second writer
    of the same folder keeps what the first one wrote. Return the manifest.

    Raises:
        ValueError: a name of ``files`` leads out of the folder, or is taken.
    """
    if target.exists():
        return read_manifest(target)
    contents = {f"{name}.skops": data for name, data in models.items()}
    # in its own order: that of a dataset's columns is the order of the features
    contents[DESCRIPTION] = json.dumps(description, indent=1).encode()
    contents[EXAMPLE] = example.encode()
    contents |= _extra(files or {}, {*contents, MANIFEST})
    aside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    shutil.rmtree(aside, ignore_errors=True)
    for name, data in contents.items():
        (aside / name).parent.mkdir(parents=True, exist_ok=True)
        (aside / name).write_bytes(data)
    manifest = {name: sha256(aside / name) for name in sorted(contents)}
    (aside / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True))
    try:
        aside.rename(target)
    except OSError:  # somebody else was first
        shutil.rmtree(aside, ignore_errors=True)
    return read_manifest(target)


def dumped(name: str, model: Any, family: str | None = None) -> bytes:
    """Return a model's bytes, sure that they can be loaded as a model of ``family``.

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
    if odd := trusted.unknown(types, family):
        raise TrimtabError(
            f"{name} holds {', '.join(odd)}, which trimtab would not load; if a class of your own "
            f"is among them, allow it in {trusted.USER_MODULE}: registry.allow(TheClass)"
        )
    return data


def read_manifest(target: Path) -> dict[str, str]:
    """Return the manifest of a finished folder after checking every file against it.

    Raises:
        IntegrityError: a file is missing, is not what was written, or is none that a version has.
    """
    manifest: dict[str, str] = json.loads((target / MANIFEST).read_text())
    if odd := [*trusted.foreign(manifest), *_unlisted(target, manifest)]:
        raise IntegrityError(
            f"{target} holds {', '.join(dict.fromkeys(odd))}, which training does not write; "
            "remove the folder to train again"
        )
    if wrong := changed(target, manifest):
        raise IntegrityError(
            f"{target / wrong[0]} is not what its manifest says; remove the folder to train again"
        )
    return manifest


def _unlisted(target: Path, manifest: Mapping[str, str]) -> list[str]:
    there = (str(f.relative_to(target)) for f in target.rglob("*") if f.is_symlink() or f.is_file())
    return sorted(set(there) - set(manifest) - {MANIFEST})


def changed(target: Path, manifest: Mapping[str, str]) -> list[str]:
    """Return the names of a manifest whose files are missing or other than it says."""
    return [
        name
        for name, expected in manifest.items()
        if not _safe(name) or not (target / name).is_file() or sha256(target / name) != expected
    ]


def describe(target: Path) -> dict[str, Any]:
    """Return what a finished folder says about its model."""
    description: dict[str, Any] = json.loads((target / DESCRIPTION).read_text())
    return description


def sha256(file: Path) -> str:
    """Hash a file piece by piece, however large it is."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _extra(files: Mapping[str, bytes], taken: set[str]) -> dict[str, bytes]:
    if bad := sorted(name for name in files if not _safe(name) or name in taken):
        raise ValueError(f"no names for files of a package: {bad}; use letters, digits, _ . - /")
    return dict(files)


def _safe(name: str) -> bool:
    """Whether a path stays in the folder: plain names, none hidden, none that leads upwards."""
    return all(_PART.fullmatch(part) for part in name.split("/"))
