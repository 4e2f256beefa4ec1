"""Files that land in a local folder."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from trimtab.config.source import FilesSource
from trimtab.data import copying, look
from trimtab.data.sources.complete import CHECKSUM, complete, first_word, nanoseconds
from trimtab.data.sources.registry import source
from trimtab.environment import Environment
from trimtab.errors import DependencyError, NotReadyError
from trimtab.types import LandedFile

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@source("folder")
class LandingFolder:
    """The landing folder of one dataset. Links and folders are listed, never followed."""

    def __init__(self, env: Environment, dataset: str) -> None:
        self.dataset = dataset
        self.contract = env.project.dataset(dataset)
        self.spec = cast("FilesSource", self.contract.source)
        self.folder = env.landing(dataset)
        self.clock = env.clock

    def files(self) -> list[LandedFile]:
        """Return the complete files; a folder that is not there yet holds none."""
        now = nanoseconds(self.clock.now() - _EPOCH)
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
        if not os.path.lexists(path):
            raise NotReadyError(f"{path} is gone since it was listed")
        look.look(path, self.contract, landing=self.folder)
        copied = copying.copy(path, into)
        if (copied.size, copied.mtime_ns) != (file.size, file.mtime_ns):
            raise NotReadyError(f"{file.uri} changed since it was listed; it is judged later")
        return copied.sha256

    def claimed(self, file: LandedFile) -> str | None:
        """Read ``FILE.sha256`` when the dataset asks for checksums."""
        if self.spec.complete != "checksum":
            return None
        beside = self.folder / f"{file.name}{CHECKSUM}"
        try:
            with beside.open("rb") as stream:
                return first_word(stream.read(1024))
        except OSError as error:
            raise NotReadyError(f"{beside} cannot be read now: {error.strerror}") from error

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
            name=entry.name,
            uri=entry.path,
            size=stat.st_size,
            mtime_ns=stat.st_mtime_ns,
        )
