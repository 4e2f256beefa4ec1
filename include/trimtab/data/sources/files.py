"""Files that land in a local folder."""

import os
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import cast

from trimtab.config.source import FilesSource
from trimtab.data import copying
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

    def fetch(self, file: LandedFile, into: Path) -> str:
        """Copy ``file``, provided it is still the file that was listed; return its SHA-256."""
        copied = copying.copy(self.folder / file.name, into)
        if (copied.size, copied.mtime_ns) != (file.size, file.mtime_ns):
            raise NotReadyError(f"{file.uri} changed since it was listed; it is judged later")
        return copied.sha256

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
