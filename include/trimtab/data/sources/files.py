"""Files that land in a local folder."""

import os
from datetime import timedelta
from fnmatch import fnmatchcase
from stat import S_ISREG
from typing import cast

from trimtab.config.source import FilesSource
from trimtab.data.sources.registry import source
from trimtab.environment import Environment
from trimtab.errors import NotReadyError
from trimtab.types import LandedFile

# Names under which uploaders write before they rename.
_UNFINISHED = (".part", ".tmp")


@source("files")
class LandingFolder:
    """The landing folder of one dataset. Links and anything but regular files are left alone."""

    def __init__(self, env: Environment, dataset: str) -> None:
        self.dataset = dataset
        self.spec = cast("FilesSource", env.project.dataset(dataset).source)
        self.folder = env.landing(dataset)
        self.clock = env.clock

    def files(self) -> list[LandedFile]:
        """Return the files that have been still for ``settle``, sorted by name."""
        if not self.folder.is_dir():
            return []
        newest = self.clock.now() - self.spec.settle
        with os.scandir(self.folder) as entries:
            found = [self._landed(entry) for entry in entries if self._wanted(entry)]
        complete = [file for file in found if file.mtime_ns <= _nanoseconds(newest.timestamp())]
        return sorted(complete, key=lambda file: file.name)

    def read(self, file: LandedFile) -> bytes:
        """Return the bytes of ``file``, provided it is still the file that was listed."""
        path = self.folder / file.name
        try:
            # O_NOFOLLOW: a name may have become a link since it was listed
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            raise NotReadyError(f"{path} cannot be read now: {error.strerror}") from error
        with os.fdopen(descriptor, "rb") as stream:
            data = stream.read() if S_ISREG(os.fstat(descriptor).st_mode) else b""
            after = os.fstat(descriptor)
        if (after.st_size, after.st_mtime_ns, len(data)) != (file.size, file.mtime_ns, file.size):
            raise NotReadyError(f"{path} changed since it was listed; it is judged later")
        return data

    def _wanted(self, entry: os.DirEntry[str]) -> bool:
        name = entry.name
        hidden = name.startswith((".", "_")) or name.endswith(_UNFINISHED)
        return (
            not hidden
            and fnmatchcase(name, self.spec.pattern)
            and entry.is_file(follow_symlinks=False)
        )

    def _landed(self, entry: os.DirEntry[str]) -> LandedFile:
        stat = entry.stat(follow_symlinks=False)
        return LandedFile(
            dataset=self.dataset,
            name=entry.name,
            uri=entry.path,
            size=stat.st_size,
            mtime_ns=stat.st_mtime_ns,
        )


def _nanoseconds(seconds: float) -> int:
    return int(timedelta(seconds=seconds) / timedelta(microseconds=1)) * 1_000
