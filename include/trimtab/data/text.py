"""Read CSV as text: every cell as it was written, every row with its position, nothing guessed."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
from polars.exceptions import PolarsError

from trimtab.config import DatasetSpec
from trimtab.data.extra import widened
from trimtab.data.reasons import FileReason, RefusedFileError
from trimtab.types import ROW

LINE = "_line"  # the whole record, where it does not fit the header


@dataclass(frozen=True)
class Text:
    """A file's rows as text in the contract's columns, and the rows that do not fit the header."""

    rows: pl.DataFrame  # contract columns and _row
    ragged: pl.DataFrame  # _row and _line

    @property
    def count(self) -> int:
        """Rows read, good or not."""
        return self.rows.height + self.ragged.height


def read(data: bytes, spec: DatasetSpec) -> Text:
    """Read the bytes of a CSV file as text.

    Raises:
        RefusedFileError: the file as a whole is no table of this contract.
    """
    text = _decode(data)
    delimiter = spec.source.reading.delimiter
    header = _header(text, delimiter)
    spec = widened(spec, header)
    _check_header(header, spec)
    found = _fast(text, header, delimiter) or _linewise(text, header, delimiter)
    if not found.count:
        raise RefusedFileError(FileReason.NO_ROWS, "there is a header and no row below it")
    return Text(found.rows.select(*spec.columns, ROW), found.ragged)


def _decode(data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        detail = f"byte {error.start} is not UTF-8 ({error.reason}); save the file as UTF-8"
        raise RefusedFileError(FileReason.BAD_ENCODING, detail) from None
    if not text.strip():
        raise RefusedFileError(FileReason.EMPTY_FILE, f"{len(data)} bytes and no header")
    if "\0" in text:
        detail = f"character {text.index(chr(0))} is NUL; is this UTF-16 or a binary file?"
        raise RefusedFileError(FileReason.NUL_BYTE, detail)
    if "\r" in text and "\n" not in text:
        detail = "lines end with a bare carriage return; use LF or CRLF"
        raise RefusedFileError(FileReason.BAD_LINE_ENDS, detail)
    return text


def _header(text: str, delimiter: str) -> list[str]:
    return next((record for record, _ in _records(text, delimiter) if record), [])


def _check_header(header: list[str], spec: DatasetSpec) -> None:
    expected = list(spec.columns)
    twice = [name for name, times in Counter(header).items() if times > 1]
    missing = [name for name in expected if name not in header]
    unexpected = [name for name in header if name not in spec.columns]
    problems = {
        FileReason.HEADER_MISMATCH: missing if len(missing) == len(expected) else [],
        FileReason.DUPLICATE_HEADER: twice,
        FileReason.MISSING_COLUMN: missing,
        FileReason.UNEXPECTED_COLUMN: unexpected,
    }
    found = {reason: names for reason, names in problems.items() if names}
    if found:
        detail = "; ".join(f"{reason}: {', '.join(names)}" for reason, names in found.items())
        raise RefusedFileError(next(iter(found)), _shortened(detail))


def _fast(text: str, header: list[str], delimiter: str) -> Text | None:
    """Parse with Polars; None where its silence would hide something.

    Polars fills short rows with nulls, keeps bare carriage returns and takes blank lines for rows.
    Without quotes, the number of delimiters and line ends tells exactly whether any of that is so.
    """
    if '"' in text or text.count("\r") != text.count("\r\n"):
        return None
    try:
        rows = pl.read_csv(
            text.encode(),
            separator=delimiter,
            infer_schema=False,
            quote_char=None,
            empty_string_is_null=False,
            raise_if_empty=False,
        )
    except PolarsError:
        return None
    lines = text.count("\n") + (not text.endswith("\n"))
    delimiters = (len(header) - 1) * lines
    whole = rows.height + 1 == lines and text.count(delimiter) == delimiters
    # a single column has no delimiter to tell an empty cell from a blank line
    if not whole or rows.columns != header or len(header) == 1:
        return None
    positions = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias(ROW)
    return Text(rows.with_columns(positions), _ragged([]))


def _linewise(text: str, header: list[str], delimiter: str) -> Text:
    """Parse record by record, keeping the text of those that do not fit the header."""
    good: list[list[str]] = []
    positions: list[int] = []
    ragged: list[tuple[int, str]] = []
    records = ((record, line) for record, line in _records(text, delimiter) if record)
    next(records)
    for position, (record, line) in enumerate(records, start=1):
        if len(record) == len(header):
            good.append(record)
            positions.append(position)
        else:
            ragged.append((position, line))
    cells = list(zip(*good, strict=True)) or [()] * len(header)
    columns = [pl.Series(n, c, pl.String) for n, c in zip(header, cells, strict=True)]
    return Text(pl.DataFrame([*columns, pl.Series(ROW, positions, pl.Int64)]), _ragged(ragged))


def _records(text: str, delimiter: str) -> Iterator[tuple[list[str], str]]:
    """Yield each record's cells and its text; blank lines have no cells."""
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in io.StringIO(text, newline=""):
            taken.append(line)
            yield line

    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    reader = csv.reader(lines(), delimiter=delimiter, strict=True)
    try:
        for record in reader:
            yield record, "".join(taken).rstrip("\r\n")
            taken.clear()
    except csv.Error as error:
        detail = f"broken quoting up to line {reader.line_num}: {error}"
        raise RefusedFileError(FileReason.UNTERMINATED_QUOTE, detail) from None


def _ragged(rows: list[tuple[int, str]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={ROW: pl.Int64, LINE: pl.String}, orient="row")


def _shortened(detail: str, limit: int = 2_000) -> str:
    return detail if len(detail) <= limit else detail[:limit] + " ..."
