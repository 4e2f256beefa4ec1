"""Read JSON Lines as text: one object a line, numbers as they are written."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from trimtab.config import DatasetSpec
from trimtab.data import text
from trimtab.data.pieces import Pieces
from trimtab.data.reasons import FileReason, RefusedFileError, RowReason
from trimtab.data.text import FINDINGS, Table, Text
from trimtab.types import ROW

_SIZE = 4 << 20  # as Python objects a block takes many times its bytes
Record = Mapping[str, Any] | None  # None: the line is no object, or names a key twice


def read(pieces: Pieces, spec: DatasetSpec) -> Table:
    """Open a JSON Lines file. Keys most of the first objects have are its columns.

    A key that is absent is a missing value; a row with a key of its own does not fit the columns.

    Raises:
        RefusedFileError: the file as a whole is no table of this contract.
    """
    first = _lines(pieces)
    if not first:
        raise RefusedFileError(FileReason.EMPTY_FILE, f"{pieces.offset} bytes and no line")
    columns = text.columns(_keys([_record(line) for line in first], spec), spec)
    return Table(columns, _blocks(first, pieces, columns))


def _lines(pieces: Pieces) -> list[str]:
    while block := pieces.take(_SIZE):
        lines = [line.rstrip("\r") for line in block.decode().split("\n") if line.strip()]
        if lines:
            return lines
    return []


def _keys(records: Sequence[Record], spec: DatasetSpec) -> list[str]:
    seen = Counter(key for record in records for key in record or ())
    objects = sum(record is not None for record in records)
    if not objects:
        detail = "no line is a JSON object; is this a CSV file, or one large JSON document?"
        raise RefusedFileError(FileReason.FORMAT_MISMATCH, detail)
    return [key for key, n in seen.items() if key in spec.columns or n > objects / 2]


def _blocks(lines: list[str], pieces: Pieces, columns: Sequence[str]) -> Iterator[Text]:
    position = 1
    while lines:
        yield _parsed(lines, columns, position)
        position += len(lines)
        lines = _lines(pieces)


def _parsed(lines: Sequence[str], columns: Sequence[str], first: int) -> Text:
    known = set(columns)
    good: list[Record] = []
    positions: list[int] = []
    misfits: list[tuple[int, str]] = []
    for position, line in enumerate(lines, start=first):
        record = _record(line)
        if record is None or not known.issuperset(record):
            misfits.append((position, line))
        else:
            good.append(record)
            positions.append(position)
    cells = {name: [record.get(name) for record in good if record is not None] for name in columns}
    series = [pl.Series(n, [_text(cell) for cell in c], pl.String) for n, c in cells.items()]
    rows = pl.DataFrame([*series, pl.Series(ROW, positions, pl.Int64)])
    return Text(rows, text.ragged(misfits), _nested(cells, positions))


def _nested(cells: Mapping[str, Sequence[Any]], positions: Sequence[int]) -> pl.DataFrame:
    """A list or an object is the value of no column."""
    found = {
        position: name
        for name, column in reversed(list(cells.items()))
        for position, cell in zip(positions, column, strict=True)
        if isinstance(cell, dict | list)
    }
    rows = [(position, str(RowReason.BAD_TYPE), name) for position, name in found.items()]
    return pl.DataFrame(rows, schema=FINDINGS, orient="row")


def _record(line: str) -> Record:
    try:
        value = json.loads(
            line, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_object
        )
        if "\\u" in line:  # half of a surrogate pair is no text
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key is there twice")
    return made


def _text(cell: Any) -> str | None:
    if cell is None or isinstance(cell, str):
        return cell
    return json.dumps(cell)  # true, false, lists and objects
