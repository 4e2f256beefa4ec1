"""Quarantined rows as a CSV a person can correct, and that CSV when it comes back.

It has the dataset's own columns, then where each row came from and why it was set aside. A cell
that a spreadsheet would run as a formula gets an apostrophe in front, which is taken off again.
"""

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from trimtab.config import DatasetSpec
from trimtab.data.text import COLUMN, LINE, REASON
from trimtab.errors import DataError
from trimtab.types import FILE, ROW

ORIGIN = (FILE, ROW)
TOLD = (REASON, COLUMN, LINE)
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?[0-9]*\.?[0-9]+([eE][+-]?[0-9]+)?")
_MOST = 20  # problems that are listed


@dataclass(frozen=True)
class Handed:
    """A corrected file: its identity and its rows by the file they came from and their place."""

    sha256: str
    rows: Mapping[str, Mapping[int, list[str]]]  # file -> position -> cells in contract order


def write(found: pl.DataFrame, spec: DatasetSpec, out: Path) -> None:
    """Write quarantined rows for a person."""
    columns = [*spec.columns, *ORIGIN, *TOLD]
    lost = [pl.lit(None, pl.String).alias(name) for name in columns if name not in found.columns]
    with out.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        for row in found.with_columns(lost).select(columns).iter_rows():
            writer.writerow([_shown(cell) for cell in row])


def read(file: Path, spec: DatasetSpec, waiting: Mapping[str, set[int]]) -> Handed:
    """Read a corrected file; ``waiting`` are the positions of rows that may be replaced, by file.

    Raises:
        DataError: it is no such file; lists every problem at once.
    """
    data = file.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: byte {error.start} is not UTF-8; save it as UTF-8") from None
    lines = csv.reader(io.StringIO(text, newline=""))
    header = next(lines, [])
    if missing := [name for name in (*spec.columns, *ORIGIN) if name not in header]:
        fix = "begin with the CSV that 'trimtab quarantine show --out' writes"
        raise DataError(f"{file}: lacks the column(s) {', '.join(missing)}; {fix}")
    records = [(lines.line_num, record) for record in lines if record]
    problems = list(_problems(records, header, waiting))
    if not records:
        problems.append("there is no row in it")
    if problems:
        more = [f"and {len(problems) - _MOST} more"] if len(problems) > _MOST else []
        told = "\n  ".join(problems[:_MOST] + more)
        raise DataError(f"{file}: {len(problems)} problem(s), nothing was released:\n  {told}")
    rows: dict[str, dict[int, list[str]]] = {}
    for _, record in records:
        cells = dict(zip(header, record, strict=True))
        mine = rows.setdefault(cells[FILE], {})
        mine[int(cells[ROW])] = [_meant(cells[name]) for name in spec.columns]
    return Handed(hashlib.sha256(data).hexdigest(), rows)


def as_csv(rows: Mapping[int, list[str]], spec: DatasetSpec) -> bytes:
    """Corrected rows of one file as a file of the dataset's own columns."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows([list(spec.columns), *rows.values()])
    return stream.getvalue().encode()


def _problems(
    records: list[tuple[int, list[str]]], header: list[str], waiting: Mapping[str, set[int]]
) -> Iterator[str]:
    """What is wrong, row by row; a row is known by its file and position."""
    seen: Counter[tuple[str, str]] = Counter()
    for line, record in records:
        if len(record) != len(header):
            yield f"line {line}: {len(record)} cells below {len(header)} columns"
            continue
        cells = dict(zip(header, record, strict=True))
        origin = cells[FILE], cells[ROW]
        seen[origin] += 1
        where = f"line {line}: row {cells[ROW]!r} of {cells[FILE][:12]!r}"
        if not (cells[ROW].isascii() and cells[ROW].isdigit()):
            yield f"{where}: {ROW} is no position; leave {FILE} and {ROW} as they were"
        elif int(cells[ROW]) not in waiting.get(cells[FILE], set()):
            yield f"{where} does not wait in quarantine (released before, or never there); drop it"
        elif seen[origin] > 1:
            yield f"{where} is there twice; keep one"


def _shown(cell: object) -> object:
    if isinstance(cell, str) and _FORMULA.match(cell) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def _meant(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
