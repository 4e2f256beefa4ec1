"""Files that land in a local folder."""

import os
from pathlib import Path
from typing import cast

from trimtab.config.source import FilesSource
from trimtab.data import copying, look
from trimtab.data.sources.complete import complete, epoch_ns
from trimtab.data.sources.registry import source
from trimtab.environment import Environment
from trimtab.errors import DependencyError, NotReadyError
from trimtab.types import LandedFile


@source("folder")
class LandingFolder:
    """The landing folder of one dataset. Links and folders are listed, never followed."""

    def __init__(self, env: Environment, dataset: str) -> None:
        self.dataset = dataset
        self.dataset_spec = env.project.dataset(dataset)
        self.spec = cast("FilesSource", self.dataset_spec.source)
        self.folder = env.landing(dataset)
        self.clock = env.clock

    def files(self) -> list[LandedFile]:
        """Return the complete files; a folder that is not there yet holds none."""
        now = epoch_ns(self.clock.now())
        try:
            with os.scandir(self.folder) as entries:
                return complete(filter(None, map(self._landed, entries)), self.spec, now)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise DependencyError(f"{self.folder} cannot be listed: {error.strerror}") from error

    def fetch(self, file: LandedFile, into: Path) -> str:
        """Copy ``file``, provided it is still the file that was listed; return its SHA-256."""
        path = self.folder / file.name
        try:
            found = path.lstat()
        except OSError as error:
            raise NotReadyError(f"{path} cannot be read now: {error.strerror}") from error
        _check_unchanged(file, found.st_size, found.st_mtime_ns)
        look.look(path, self.dataset_spec, landing=self.folder)
        copied = copying.copy(path, into)
        _check_unchanged(file, copied.size, copied.mtime_ns)
        look.check_hash(path, copied.sha256)
        return copied.sha256

    def probe(self) -> str:
        """List the folder."""
        if not self.folder.exists():
            return f"{self.folder} is not there yet"
        return f"{self.folder}: {len(self.files())} complete file(s)"

    def _landed(self, entry: os.DirEntry[str]) -> LandedFile | None:
        try:
            stat = entry.stat(follow_symlinks=False)
        except FileNotFoundError:  # moved away since the folder was listed
            return None
        return LandedFile(
            dataset=self.dataset,
            name=_printable(entry.name),
            uri=_printable(entry.path),
            size=stat.st_size,
            mtime_ns=stat.st_mtime_ns,
        )


def _check_unchanged(file: LandedFile, size: int, mtime_ns: int) -> None:
    if (size, mtime_ns) != (file.size, file.mtime_ns):
        raise NotReadyError(f"{file.uri} changed since it was listed; it is judged later")


def _printable(name: str) -> str:
    """Spell out bytes that are no UTF-8; such a name is refused, and a record can hold it."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
