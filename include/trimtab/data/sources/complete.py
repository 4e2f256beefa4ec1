"""Which files of a listing are complete, by the rule of their source.

``stable``: nothing changed for ``settle``. ``success``: a file ``_SUCCESS`` lies beside them and is
as new as the file or newer; what comes after it waits for the next ``_SUCCESS``. ``checksum``:
``FILE.sha256`` lies beside ``FILE``; what it says is checked when the file is judged.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

from trimtab.config.source import FilesSource
from trimtab.data.names import CHECKSUM, UNFINISHED
from trimtab.types import LandedFile

SUCCESS = "_SUCCESS"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def complete(files: Iterable[LandedFile], spec: FilesSource, now_ns: int) -> list[LandedFile]:
    """Return the complete files of the pattern, sorted by name; ``now_ns`` by the place's clock."""
    there = {file.name: file for file in files}
    found = [file for file in there.values() if _wanted(file.name, spec)]
    match spec.complete:
        case "success":
            marker = there.get(SUCCESS)
            found = [f for f in found if marker is not None and f.mtime_ns <= marker.mtime_ns]
        case "checksum":
            found = [f for f in found if f"{f.name}{CHECKSUM}" in there]
        case "stable":
            newest = now_ns - nanoseconds(spec.settle)
            found = [f for f in found if f.mtime_ns <= newest]
    return sorted(found, key=lambda file: file.name)


def nanoseconds(span: timedelta) -> int:
    """Whole nanoseconds of a time span; exact to the microsecond."""
    return span // timedelta(microseconds=1) * 1_000


def epoch_ns(moment: datetime) -> int:
    """Nanoseconds since 1970, as file systems count them; exact to the microsecond."""
    return nanoseconds(moment - _EPOCH)


def _wanted(name: str, spec: FilesSource) -> bool:
    hidden = name.startswith((".", "_")) or name.lower().endswith(UNFINISHED)
    beside = spec.complete == "checksum" and name.endswith(CHECKSUM)
    return not hidden and not beside and fnmatchcase(name, spec.pattern)
