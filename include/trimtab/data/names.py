"""What a file's name may be, and what it says about the rows."""

import re
from datetime import UTC, datetime, timedelta

from trimtab.config import DatasetSpec
from trimtab.config.source import FilesSource
from trimtab.data.reasons import FileReason, RefusedFileError

CHECKSUM = ".sha256"  # a side file that says what SHA-256 a file has
UNFINISHED = (".part", ".tmp", ".partial", ".crdownload", ".filepart")
# Printable, and nothing a shell, a URL or a path would read as more than a name.
_NAME = re.compile(r"[^\x00-\x1f\x7f/\\%$`;|&<>*?\"'!{}~]+")
_DATES = ("%Y-%m-%d", "%Y%m%d", "%Y-%m", "%Y%m")
Period = tuple[datetime, datetime]


def check(name: str) -> None:
    """Refuse names that mean something to a shell, a URL or a terminal, and unfinished uploads.

    Raises:
        RefusedFileError: bad_filename or incomplete_upload.
    """
    if not _NAME.fullmatch(name) or name.startswith(("-", " ")) or ".." in name:
        detail = f"{name!r} holds characters a file's name should not; rename the file"
        raise RefusedFileError(FileReason.BAD_FILENAME, detail)
    if name.lower().endswith(UNFINISHED):
        detail = f"{name} is still being uploaded by its name; rename it when it is whole"
        raise RefusedFileError(FileReason.INCOMPLETE_UPLOAD, detail)


def period(name: str, spec: DatasetSpec) -> Period | None:
    """Return the days the file's rows belong to, as its name says; None when names say nothing.

    Raises:
        RefusedFileError: the name does not match ``named`` or holds no possible date.
    """
    source = spec.source
    if not isinstance(source, FilesSource) or source.named is None:
        return None
    match = re.fullmatch(source.named, name)
    if match is None:
        detail = f"{name} does not match {source.named}; rename the file"
        raise RefusedFileError(FileReason.BAD_FILENAME, detail)
    if not match.groups() or match[1] is None:
        return None
    found = next((made for form in _DATES if (made := _period(match[1], form))), None)
    if found is None:
        detail = f"{match[1]} in {name} is no date; rename the file"
        raise RefusedFileError(FileReason.BAD_FILENAME, detail)
    return found


def stem(name: str) -> str:
    """The name without its last ending, and without .gz."""
    whole = name[:-3] if name.lower().endswith(".gz") else name
    return whole.rpartition(".")[0] or whole


def _period(text: str, form: str) -> Period | None:
    try:
        first = datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError:
        return None
    if first.strftime(form) != text:  # strptime takes 2013-1-1, too
        return None
    if "%d" in form:
        return first, first + timedelta(days=1)
    return first, (first + timedelta(days=32)).replace(day=1)
