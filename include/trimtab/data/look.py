"""What can be said of a file without opening it."""

import hashlib
import os
import re
import stat
from datetime import UTC, datetime
from pathlib import Path

from trimtab.config import DatasetSpec
from trimtab.data import names
from trimtab.data.reasons import FileReason, RefusedFileError

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_SIDE_FILE = 4096  # bytes of a checksum file that are read


def look(path: Path, spec: DatasetSpec, *, landing: Path | None = None) -> os.stat_result:
    """Return what the file is when it may be opened. Nothing here follows a link or can block.

    Args:
        path: absolute path of the file.
        spec: the contract.
        landing: the folder it must lie in by its real path, when there is one.

    Raises:
        RefusedFileError: it is no plain file of its own, elsewhere, ill named, or too large.
    """
    try:
        seen = path.lstat()
    except OSError as error:
        raise RefusedFileError(FileReason.UNREADABLE, f"{path}: {error.strerror}") from None
    _check_kind(path, seen)
    _check_place(path, landing)
    names.check(path.name)
    names.period(path.name, spec)
    if not os.access(path, os.R_OK):
        detail = f"{path} may not be read by this user; change its mode"
        raise RefusedFileError(FileReason.UNREADABLE, detail)
    check_size(seen.st_size, spec)
    return seen


def check_size(size: int, spec: DatasetSpec) -> None:
    """Refuse a file that is too large to be read.

    Raises:
        RefusedFileError: too_large.
    """
    if size > spec.limits.max_bytes:
        detail = f"{size} bytes; limits.max_bytes is {spec.limits.max_bytes}"
        raise RefusedFileError(FileReason.TOO_LARGE, detail)


def expected_hash(path: Path) -> str | None:
    """Return what ``NAME.sha256`` beside the file says its SHA-256 is; None without one.

    Raises:
        RefusedFileError: the side file says nothing.
    """
    side = path.with_name(path.name + names.CHECKSUM)
    try:
        descriptor = os.open(side, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        detail = f"{side.name} cannot be read: {error.strerror}"
        raise RefusedFileError(FileReason.MANIFEST_MISMATCH, detail) from None
    with os.fdopen(descriptor, "rb") as stream:
        return claimed_hash(side.name, stream.read(_SIDE_FILE) or b"")


def claimed_hash(side: str, text: bytes) -> str:
    """Return the SHA-256 that a side file holds, as sha256sum writes it.

    Raises:
        RefusedFileError: the side file says nothing.
    """
    found = _SHA256.match(text[:_SIDE_FILE].decode("ascii", "replace").strip())
    if found is None:
        detail = f"{side} holds no SHA-256; write what sha256sum prints"
        raise RefusedFileError(FileReason.MANIFEST_MISMATCH, detail)
    return found[0].lower()


def check_hash(path: Path, sha256: str) -> None:
    """Compare the hash of what was read with the side file, if there is one.

    Raises:
        RefusedFileError: manifest_mismatch.
    """
    compare_hash(path.name, expected_hash(path), sha256)


def compare_hash(name: str, expected: str | None, sha256: str) -> None:
    """Compare the hash of what was read with what a side file says, if there is one.

    Raises:
        RefusedFileError: manifest_mismatch.
    """
    if expected is not None and expected != sha256:
        detail = f"{name}{names.CHECKSUM} says {expected[:12]}, the bytes are {sha256[:12]}"
        raise RefusedFileError(FileReason.MANIFEST_MISMATCH, f"{detail}; deliver it again")


def arrival(mtime_ns: int) -> datetime | None:
    """The moment a file came, from its time of change; None when it is not known."""
    return datetime.fromtimestamp(mtime_ns / 1e9, UTC) if mtime_ns else None


def unread(name: str, size: int, mtime_ns: int) -> str:
    """An identity for a file that was refused before it was read, in place of its hash."""
    return hashlib.sha256(f"unread:{name}:{size}:{mtime_ns}".encode()).hexdigest()


def _check_kind(path: Path, seen: os.stat_result) -> None:
    if not stat.S_ISREG(seen.st_mode):
        kind = "a link" if stat.S_ISLNK(seen.st_mode) else "a folder, a pipe or a device"
        detail = f"{path} is {kind}; deliver a plain file"
        raise RefusedFileError(FileReason.NOT_REGULAR_FILE, detail)
    if seen.st_nlink > 1:
        detail = f"{path} has {seen.st_nlink} names (hard links): it may change under another one"
        raise RefusedFileError(FileReason.NOT_REGULAR_FILE, f"{detail}; deliver a copy")


def _check_place(path: Path, landing: Path | None) -> None:
    """A folder on the way that is a link leads elsewhere."""
    root = landing if landing and landing in path.parents else path.parent.parent
    below = path.parent.relative_to(root).parts
    for depth in range(1, len(below) + 1):
        folder = root.joinpath(*below[:depth])
        if folder.is_symlink():
            detail = (
                f"{path} is reached by way of the link {folder}; deliver into the folder itself"
            )
            raise RefusedFileError(FileReason.OUTSIDE_LANDING, detail)
