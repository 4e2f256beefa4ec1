"""What a file is by its first bytes and its name, and reading it without being blown up."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import BinaryIO, cast

from trimtab.config import DatasetSpec
from trimtab.config.source import Format
from trimtab.data.reasons import FileReason, RefusedFileError

_GZIP = b"\x1f\x8b"
_CONTAINERS = {
    b"PK\x03\x04": "a zip file (or an Excel workbook)",
    b"PK\x05\x06": "an empty zip file",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ\x00": "an xz file",
    b"7z\xbc\xaf\x27\x1c": "a 7z file",
    b"\x28\xb5\x2f\xfd": "a zstandard file",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
}
_PIECE = 1 << 18


def check_magic(head: bytes, name: str, kind: Format) -> None:
    """Refuse a file whose first bytes are not what its name and the contract say.

    Raises:
        RefusedFileError: format_mismatch or unsupported_container.
    """
    for magic, told in _CONTAINERS.items():
        if head.startswith(magic):
            raise RefusedFileError(
                FileReason.UNSUPPORTED_CONTAINER, f"this is {told}; deliver {kind}"
            )
    zipped, named = head.startswith(_GZIP), name.lower().endswith(".gz")
    if zipped and kind == "parquet":
        detail = "this is a gzip file; Parquet compresses itself"
        raise RefusedFileError(FileReason.UNSUPPORTED_CONTAINER, detail)
    if zipped != named and head:
        told = "is a gzip file, its name does not end with .gz" if zipped else "is no gzip file"
        raise RefusedFileError(FileReason.FORMAT_MISMATCH, f"{name} {told}")
    if not zipped and (told := _other(head, kind)):
        raise RefusedFileError(FileReason.FORMAT_MISMATCH, f"this is {told}; deliver {kind}")


def _other(head: bytes, kind: Format) -> str:
    """Name the format that this is instead of ``kind``; '' when it may be ``kind``."""
    if kind == "parquet":
        return "" if head.startswith(b"PAR1") or not head else "no Parquet file"
    if head.startswith(b"PAR1"):
        return "a Parquet file"
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:20].lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "a web page or XML (an error message?)"
    if kind == "csv" and start.startswith((b"{", b"[")):
        return "JSON (an error message?)"
    return ""


@contextmanager
def opened(path: Path, name: str, spec: DatasetSpec) -> Iterator[BinaryIO]:
    """Open a text file, gzip or not, in bounded memory.

    Raises:
        RefusedFileError: another container or format; while reading: a bomb, a broken gzip file.
    """
    kind = spec.source.reading.format
    with path.open("rb") as file:
        head = file.read(64)
        check_magic(head, name, kind)
        file.seek(0)
        if not head.startswith(_GZIP):
            yield file
            return
        limits = spec.limits
        unzipped = _Unzipped(file, most=limits.max_bytes, ratio=limits.max_expansion)
        stream = BufferedReader(unzipped, _PIECE)
        check_magic(stream.peek(64)[:64], name[:-3], kind)
        yield cast("BinaryIO", stream)


class _Unzipped(RawIOBase):
    """The content of a gzip file, checked against its checksums; several members are one file."""

    def __init__(self, file: BinaryIO, *, most: int, ratio: float) -> None:
        self._file, self._most, self._ratio = file, most, ratio
        self._inflate = zlib.decompressobj(wbits=31)
        self._packed = b""
        self._read = self._made = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while True:
            if self._inflate.eof and not self._next_member():
                return 0
            if not self._packed:
                self._packed = self._file.read(_PIECE)
                self._read += len(self._packed)
            if not self._packed:
                detail = (
                    f"the gzip file ends after {self._read} bytes, in the middle; send it again"
                )
                raise RefusedFileError(FileReason.TRUNCATED_GZIP, detail)
            if data := self._more(len(buffer)):
                buffer[: len(data)] = data
                return len(data)

    def _more(self, size: int) -> bytes:
        try:
            data = self._inflate.decompress(self._packed, size)
        except zlib.error as error:
            detail = f"the gzip file is broken ({error}); send it again"
            raise RefusedFileError(FileReason.TRUNCATED_GZIP, detail) from None
        self._packed = self._inflate.unconsumed_tail
        if self._inflate.eof:
            self._packed = self._inflate.unused_data
        self._made += len(data)
        allowed = min(self._most, self._ratio * max(self._read, 1 << 10))
        if self._made > allowed:
            detail = f"{self._read} bytes become more than {allowed:.0f}; see limits.max_expansion"
            raise RefusedFileError(FileReason.DECOMPRESSION_BOMB, detail)
        return data

    def _next_member(self) -> bool:
        """Begin the next member; zeros may pad the file."""
        self._packed = self._packed.lstrip(b"\0")
        while not self._packed and (more := self._file.read(_PIECE)):
            self._read += len(more)
            self._packed = more.lstrip(b"\0")
        if not self._packed:
            return False
        self._inflate = zlib.decompressobj(wbits=31)
        return True
