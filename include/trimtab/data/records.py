"""CSV records one by one, strictly, each with its own text."""

import csv
import io
from collections.abc import Iterator

from trimtab.data.pieces import Pieces
from trimtab.data.reasons import FileReason, RefusedFileError

_PULL = 1 << 16  # bytes to read on when a record goes on behind its block


class Records:
    """The records of a block; the last one is read to its end even behind the block.

    Iterate for cells and text of each record (blank lines have no cells), then call ``close``.
    """

    def __init__(self, block: bytes, pieces: Pieces, delimiter: str, line: int) -> None:
        self._pieces, self._before = pieces, line
        self._source = io.StringIO(block.decode(), newline="")
        self._taken: list[str] = []
        self._pulled = False
        csv.field_size_limit(max(csv.field_size_limit(), pieces.longest))
        self._reader = csv.reader(self._lines(), delimiter=delimiter, strict=True)

    @property
    def line(self) -> int:
        """Lines of the file read so far."""
        return self._before + self._reader.line_num

    def __iter__(self) -> Iterator[tuple[list[str], str]]:
        """Yield each record's cells and its text.

        Raises:
            RefusedFileError: broken quoting.
        """
        try:
            for record in self._reader:
                yield record, "".join(self._taken).rstrip("\r\n")
                self._taken.clear()
        except csv.Error as error:
            raise self._broken(str(error)) from None

    def close(self) -> None:
        """Give back what was not read."""
        self._pieces.give_back(self._source.read().encode())

    def _lines(self) -> Iterator[str]:
        length = 0
        while self._taken or not self._pulled:
            line = self._source.readline() or self._more()
            if not line:
                return
            length = length + len(line) if self._taken else len(line)
            if length > self._pieces.longest:
                raise self._broken(f"a record of more than {self._pieces.longest} characters")
            self._taken.append(line)
            yield line

    def _more(self) -> str:
        """Read on, but only to finish a record."""
        if not self._taken:
            return ""
        self._pulled = True
        self._source = io.StringIO(self._pieces.take(_PULL).decode(), newline="")
        return self._source.readline()

    def _broken(self, why: str) -> RefusedFileError:
        detail = f"broken quoting up to line {self.line}: {why}"
        return RefusedFileError(FileReason.UNTERMINATED_QUOTE, detail)
