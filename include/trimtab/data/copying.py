"""Copy a file that others may still touch, and hash it on the way."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from trimtab.errors import NotReadyError

_PIECE = 4 << 20
# A name may have become a link or a pipe since it was listed: follow nothing, wait for nothing.
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True)
class Copied:
    """What was copied, as it was after the last byte had been read."""

    sha256: str
    size: int
    mtime_ns: int


def copy(path: Path, into: Path) -> Copied:
    """Copy a regular file to ``into`` piece by piece.

    Raises:
        NotReadyError: the file is gone, is no regular file, or changed while it was copied.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError as error:
        raise NotReadyError(f"{path} cannot be read now: {error.strerror}") from error
    digest, taken = hashlib.sha256(), 0
    with os.fdopen(descriptor, "rb", buffering=0) as source, into.open("wb") as target:
        before = os.fstat(descriptor)
        if not S_ISREG(before.st_mode):
            raise NotReadyError(f"{path} is no regular file now")
        while piece := source.read(_PIECE):
            digest.update(piece)
            target.write(piece)
            taken += len(piece)
        after = os.fstat(descriptor)
    if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns) or (
        taken != after.st_size
    ):
        raise NotReadyError(f"{path} changed while it was copied; it is judged later")
    return Copied(digest.hexdigest(), after.st_size, after.st_mtime_ns)
