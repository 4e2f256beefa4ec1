"""Cut a stream of text into pieces that end where lines end, and check its encoding on the way."""

from typing import BinaryIO

from trimtab.data.reasons import FileReason, RefusedFileError

SIZE = 16 << 20  # bytes of a piece: large enough to parse fast, small enough to hold several
_BOM = b"\xef\xbb\xbf"


class Pieces:
    """The bytes of a text file, whole lines at a time; what is given back comes again.

    Raises:
        RefusedFileError: bytes that are no UTF-8 text, or a line longer than ``longest`` bytes.
    """

    def __init__(self, stream: BinaryIO, *, longest: int, size: int = SIZE) -> None:
        self._stream, self._size = stream, size
        self.longest = longest
        self.offset = 0  # bytes handed out so far
        self._held = b""  # read, and not handed out
        self._checked = 0  # bytes of what is held that were checked before
        self._at_end = False

    def take(self, size: int = 0) -> bytes:
        """Return about ``size`` bytes, up to the end of a line; nothing at the end of the file."""
        size = size or self._size
        self._hold(size)
        cut = self._held.rfind(b"\n", 0, size) + 1 or self._held.find(b"\n", size) + 1
        while not cut and not self._at_end:
            self._bounded()
            length = len(self._held)
            self._hold(length + self._size)
            cut = self._held.find(b"\n", length) + 1
        if len(self._held) <= size and self._at_end:
            cut = 0
        piece = self._held[:cut] if cut else self._held
        self._held = self._held[len(piece) :]
        return self._handed(piece)

    def give_back(self, rest: bytes) -> None:
        """Hand these bytes, the last of what was taken, out again."""
        self._held = rest + self._held
        self._checked += len(rest)
        self.offset -= len(rest)

    def _hold(self, size: int) -> None:
        parts, length = [self._held], len(self._held)
        while length < size and not self._at_end:
            more = self._stream.read(size - length)
            self._at_end = not more
            parts.append(more)
            length += len(more)
        self._held = b"".join(parts)

    def _handed(self, piece: bytes) -> bytes:
        fresh, at = piece[self._checked :], self.offset + self._checked
        _check(fresh, at)
        self._checked = max(0, self._checked - len(piece))
        first = self.offset == 0
        self.offset += len(piece)
        return piece.removeprefix(_BOM) if first else piece

    def _bounded(self) -> None:
        if len(self._held) > self.longest:
            if b"\r" in self._held:
                raise bare_returns()
            detail = f"a line of more than {self.longest} bytes from byte {self.offset} on"
            raise RefusedFileError(FileReason.TOO_LARGE, f"{detail}; is this a text file?")


def bare_returns() -> RefusedFileError:
    """The refusal of line ends of old."""
    detail = "lines end with a bare carriage return; use LF or CRLF"
    return RefusedFileError(FileReason.BAD_LINE_ENDS, detail)


def _check(data: bytes, at: int) -> None:
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError as error:
            detail = (
                f"byte {at + error.start} is not UTF-8 ({error.reason}); save the file as UTF-8"
            )
            raise RefusedFileError(FileReason.BAD_ENCODING, detail) from None
    if (nul := data.find(b"\0")) >= 0:
        detail = f"byte {at + nul} is NUL; is this UTF-16 or a binary file?"
        raise RefusedFileError(FileReason.NUL_BYTE, detail)
