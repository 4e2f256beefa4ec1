"""Read CSV as text: nothing guessed, nothing filled up, a bad row slows its own block only.

A block that is proved to be a regular table is parsed by Polars; any other record by record.
"""

from collections.abc import Iterator

import polars as pl
from polars.exceptions import PolarsError

from trimtab.config import DatasetSpec
from trimtab.data import text
from trimtab.data.pieces import Pieces, bare_returns
from trimtab.data.reasons import FileReason, RefusedFileError
from trimtab.data.records import Records
from trimtab.data.shape import proved
from trimtab.data.text import Table, Text
from trimtab.types import ROW


def read(pieces: Pieces, spec: DatasetSpec) -> Table:
    """Open a CSV file; its blocks are parsed as they are asked for.

    Raises:
        RefusedFileError: the file as a whole is no table of this contract.
    """
    file = _File(pieces, spec.source.reading.delimiter)
    header = file.header()
    return Table(text.columns(header, spec), file.blocks(header))


class _File:
    def __init__(self, pieces: Pieces, delimiter: str) -> None:
        self._pieces, self._delimiter = pieces, delimiter
        self._line = 0  # lines read so far

    def header(self) -> list[str]:
        while block := self._pieces.take():
            if b"\n" not in block and b"\r" in block:
                raise bare_returns()
            records = self._records(block)
            header = next((record for record, _ in records if record), None)
            self._line = records.line
            records.close()
            if header and (len(header) > 1 or header[0].strip()):
                return header
        detail = f"{self._pieces.offset} bytes and no header"
        raise RefusedFileError(FileReason.EMPTY_FILE, detail)

    def blocks(self, header: list[str]) -> Iterator[Text]:
        position = 1
        while block := self._pieces.take():
            found = self._regular(block, header, position)
            found = found or self._linewise(block, header, position)
            position += found.count
            yield found

    def _regular(self, block: bytes, header: list[str], first: int) -> Text | None:
        shape = proved(block, len(header), self._delimiter)
        if shape is None:
            return None
        rows = _parsed(block[: shape.end], header, self._delimiter, quoted=shape.quoted)
        if rows is None or rows.height != shape.rows:
            return None
        self._line += block.count(b"\n", 0, shape.end)
        self._pieces.give_back(block[shape.end :])
        return Text(rows.with_columns(pl.int_range(first, pl.len() + first).alias(ROW)))

    def _linewise(self, block: bytes, header: list[str], first: int) -> Text:
        """Parse record by record, keeping the text of those that do not fit the header."""
        good: list[list[str]] = []
        positions: list[int] = []
        misfits: list[tuple[int, str]] = []
        records = self._records(block)
        found = (told for told in records if told[0])
        for position, (record, line) in enumerate(found, start=first):
            if len(record) == len(header):
                good.append(record)
                positions.append(position)
            else:
                misfits.append((position, line))
        self._line = records.line
        records.close()
        cells = list(zip(*good, strict=True)) or [()] * len(header)
        columns = [pl.Series(n, c, pl.String) for n, c in zip(header, cells, strict=True)]
        rows = pl.DataFrame([*columns, pl.Series(ROW, positions, pl.Int64)])
        return Text(rows, text.ragged(misfits))

    def _records(self, block: bytes) -> Records:
        return Records(block, self._pieces, self._delimiter, self._line)


def _parsed(data: bytes, header: list[str], delimiter: str, *, quoted: bool) -> pl.DataFrame | None:
    try:
        return pl.read_csv(
            data,
            has_header=False,
            schema=dict.fromkeys(header, pl.String()),
            separator=delimiter,
            quote_char='"' if quoted else None,
            empty_string_is_null=False,
            raise_if_empty=False,
        )
    except PolarsError:
        return None
