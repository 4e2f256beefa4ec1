"""Copy a file that others may still touch, and hash what was copied."""

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO

from trimtab.errors import NotReadyError

_PIECE = 64 << 20
# A name may have become a link or a pipe since it was listed: follow nothing, wait for nothing.
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True)
class Copied:
    """What was copied, as it was after the last byte had been read."""

    sha256: str
    size: int
    mtime_ns: int


def copy(path: Path, into: Path) -> Copied:
    """Copy a regular file to ``into`` and hash the copy.

    Raises:
        NotReadyError: the file is gone, is no regular file, or changed while it was copied.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError as error:
        raise NotReadyError(f"{path} cannot be read now: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as source, into.open("w+b") as target:
        before = os.fstat(descriptor)
        if not S_ISREG(before.st_mode):
            raise NotReadyError(f"{path} is no regular file now")
        taken = _poured(source, target, before.st_size)
        after = os.fstat(descriptor)
        target.seek(0)
        sha256 = hashlib.file_digest(target, "sha256").hexdigest()  # of what will be judged
    if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns) or (
        taken != after.st_size
    ):
        raise NotReadyError(f"{path} changed while it was copied; it is judged later")
    return Copied(sha256, after.st_size, after.st_mtime_ns)


def _poured(source: BinaryIO, target: BinaryIO, size: int) -> int:
    """Copy in the kernel where it can; return how many bytes there were.

    It ends soon after ``size`` bytes: a file that grows is refused, however long it goes on.
    """
    taken = 0
    try:
        while taken <= size and (
            count := os.sendfile(target.fileno(), source.fileno(), taken, _PIECE)
        ):
            taken += count
    except OSError:
        if taken:
            raise
        shutil.copyfileobj(source, target, _PIECE)  # macOS: only sockets can be sent to
        taken = target.tell()
    return taken
