"""Prove from delimiters, quotes and line ends alone that a block of CSV is a regular table.

Polars fills short rows, drops surplus cells at the end of a block, keeps bare carriage returns and
takes blank lines for rows, all without a word. In a block proved here there are none of these.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_QUOTE, _CR, _LF = b'"\r\n'


@dataclass(frozen=True)
class Shape:
    """A block's regular part: its rows end at byte ``end``."""

    rows: int
    end: int
    quoted: bool = False


def proved(block: bytes, columns: int, delimiter: str) -> Shape | None:
    """Return the shape of a regular table that ends where a row ends; None when unproved."""
    # a single column has no delimiter to tell an empty cell from a blank line
    if columns == 1 or not delimiter.isascii():
        return None
    row = delimiter.encode() * (columns - 1) + b"\n"
    marks = block.translate(None, _all_but(row + b'\r"'))
    if b'"' in marks:
        return _quoted(block, row)
    if b"\r" in marks:
        if block.count(b"\r") != block.count(b"\r\n"):
            return None
        marks = marks.replace(b"\r", b"")
    return _shape(marks, row, block, len(block), quoted=False)


def _shape(marks: bytes, row: bytes, block: bytes, end: int, *, quoted: bool) -> Shape | None:
    if not block.endswith(b"\n", 0, end):
        marks += b"\n"  # the file's last row may do without
    rows = len(marks) // len(row)
    return Shape(rows, end, quoted) if rows and marks == row * rows else None


def _quoted(block: bytes, row: bytes) -> Shape | None:
    """Prove the part up to the last line end outside quotes.

    As RFC 4180 has it: an opening quote stands where a cell begins, a closing one where it ends,
    and two in a row inside a cell are one. Quotes open and close in turns, so a pair inside a cell
    is a closing one and an opening one without anything between.
    """
    data = np.frombuffer(block, np.uint8)
    quotes = data == _QUOTE
    outside = np.bitwise_xor.accumulate(quotes.view(np.uint8)) == 0
    ends = np.flatnonzero((data == _LF) & outside)
    whole = not block.endswith(b"\n") and bool(outside[-1])  # the file's last row
    end = len(block) if whole else int(ends[-1]) + 1 if ends.size else 0
    data, quotes, outside = data[:end], quotes[:end], outside[:end]
    if not end or not _well_placed(data, np.flatnonzero(quotes), row[0]):
        return None
    returns = np.flatnonzero((data == _CR) & outside)
    if returns.size and (returns[-1] + 1 == end or (data[returns + 1] != _LF).any()):
        return None
    marks = data[((data == row[0]) | (data == _LF)) & outside].tobytes()
    return _shape(marks, row, block, end, quoted=True)


def _well_placed(data: npt.NDArray[np.uint8], at: npt.NDArray[np.intp], delimiter: int) -> bool:
    padded = np.concatenate(([_LF], data, [_LF]))
    opening, closing = at[::2], at[1::2]
    before, after = padded[opening], padded[closing + 2]
    escaped = np.zeros(opening.size, bool)
    escaped[1:] = opening[1:] == closing[: opening.size - 1] + 1
    begins = (before == delimiter) | (before == _LF) | escaped
    continued = np.append(escaped[1:], [False] * (closing.size - opening.size + 1))[: closing.size]
    ended = (after == delimiter) | (after == _LF) | (after == _CR) | continued
    return bool(begins.all() and ended.all())


def _all_but(kept: bytes) -> bytes:
    return bytes(byte for byte in range(256) if byte not in kept)
