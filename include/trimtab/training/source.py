"""The code that made a model: commit and uncommitted changes, and the user's own modules."""

import hashlib
import importlib.util
import os
import subprocess
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

USER_MODULES = ("trimtab_features", "trimtab_estimators")
# Uncommitted, these can change what a training does; a note or a data file cannot.
_MATTERS = {".py", ".yaml", ".yml", ".toml", ".lock", ".sql", ".cfg", ".ini"}
_SHOWN = 20


@dataclass(frozen=True)
class Code:
    """The commit, the files that are not in it, and the user's modules by hash."""

    commit: str | None
    changes: tuple[str, ...] = ()  # files other than committed, the first ones
    modules: dict[str, str] = field(default_factory=dict)

    @property
    def dirty(self) -> bool:
        """Whether something that matters is not committed. Without a repository nothing is."""
        return bool(self.changes) or self.commit is None

    def to_json(self) -> dict[str, Any]:
        """Plain values for the record."""
        return {**asdict(self), "changes": list(self.changes), "dirty": self.dirty}


def code(folder: Path) -> Code:
    """Look at the repository that ``folder`` (the configuration) is in, and at user modules."""
    commit = _git(folder, "rev-parse", "HEAD").strip() or None
    root = Path(_git(folder, "rev-parse", "--show-toplevel").strip() or folder).resolve()
    changes = _changes(root) if commit else []
    outside = [f"{name} (not in the repository)" for name in USER_MODULES if _outside(name, root)]
    return Code(commit, tuple([*changes, *outside][:_SHOWN]), modules())


def modules() -> dict[str, str]:
    """SHA-256 of each user module that is on the path: of its file, or every file of a package."""
    return {name: _hashed(files) for name in USER_MODULES if (files := _files(name))}


def _changes(root: Path) -> list[str]:
    """Files that git would commit, or would be asked to add, and that can matter."""
    told = _git(root, "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames")
    entries = [(line[:2], line[3:]) for line in told.split("\0") if line]
    return sorted(
        name
        for state, name in entries
        if state != "??" or Path(name).suffix in _MATTERS or Path(name).name in _REQUIREMENTS
    )


_REQUIREMENTS = {"requirements.txt", "Dockerfile"}


def _outside(module: str, root: Path) -> bool:
    return any(not file.is_relative_to(root) for file in _files(module))


def _files(module: str) -> list[Path]:
    found = importlib.util.find_spec(module)
    if found is None:
        return []
    folders = [Path(place) for place in found.submodule_search_locations or ()]
    if not folders:
        return [Path(found.origin).resolve()] if found.origin else []
    return sorted(file.resolve() for folder in folders for file in folder.rglob("*.py"))


def _hashed(files: list[Path]) -> str:
    base = Path(os.path.commonpath([file.parent for file in files]))
    found = hashlib.sha256()
    for file in files:
        found.update(f"{file.relative_to(base)}\0".encode())
        found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 fixed arguments, no shell
            ["git", "--no-optional-locks", "-C", str(folder), *arguments],  # noqa: S607 user's git
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
