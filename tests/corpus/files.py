"""A: names and files. B: containers and compression."""

import gzip
import hashlib
import io
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from tests.corpus import shop
from tests.corpus.case import ACCEPTED, Expected, good, on_folder, on_rows, on_text, refused, write

CHECKSUM = {"source": {"complete": "checksum"}}


@on_rows("A01", ACCEPTED, parquet=True)
def clean(rows: list[shop.Row]) -> None:
    pass


@on_text("A02", refused("empty_file"))
def empty(_text: str) -> str:
    return ""


@on_text("A03", refused("no_rows"))
def header_only(text: str) -> str:
    return text.splitlines()[0] + "\n"


@on_text("A04", refused("empty_file"))
def newlines_only(_text: str) -> str:
    return "\n\r\n\n"


@on_rows("A05", refused("too_few_rows"), parquet=True)
def one_row(rows: list[shop.Row]) -> list[shop.Row]:
    return rows[:1]


@on_folder("A06", refused("bad_filename"))
def encoded_path(folder: Path) -> Path:
    return good(folder, "..%2forders-2026-03-05.csv")


@on_folder("A07", refused("bad_filename"))
def shell_name(folder: Path) -> Path:
    return good(folder, "orders-2026-03-05.csv;touch hacked\n.csv")


@on_folder("A08", refused("not_regular_file"))
def symlink(folder: Path) -> Path:
    outside = good(folder.parent, "elsewhere.csv")
    link = folder / "orders-2026-03-05.csv"
    link.symlink_to(outside)
    return link


@on_folder("A09", refused("not_regular_file"))
def fifo(folder: Path) -> Path:
    pipe = folder / "orders-2026-03-05.csv"
    os.mkfifo(pipe)
    return pipe


@on_folder("A10", refused("not_regular_file"))
def directory(folder: Path) -> Path:
    place = folder / "orders-2026-03-05.csv"
    place.mkdir()
    return place


@on_folder("A11", refused("incomplete_upload"))
def part(folder: Path) -> Path:
    return good(folder, "orders-2026-03-05.csv.part")


@on_folder("A12", refused("manifest_mismatch"), contract=CHECKSUM)
def half_of_its_checksum(folder: Path) -> Path:
    file = good(folder)
    whole = file.read_bytes()
    checksum = hashlib.sha256(whole).hexdigest()
    file.with_name(file.name + ".sha256").write_text(f"{checksum}  {file.name}\n")
    file.write_bytes(whole[: len(whole) // 2])
    return file


@on_folder(
    "A13",
    Expected("duplicate", "duplicate_noop"),
    before=lambda folder, _: [good(folder, "orders-2026-03-05.csv")],
)
def same_bytes_other_name(folder: Path) -> Path:
    return good(folder, "orders-2026-03-06.csv")


@on_folder("A14", refused("too_large"))
def too_large(folder: Path) -> Path:
    file = good(folder)
    os.truncate(file, 17_000_000)
    return file


@on_folder("A15", refused("unreadable"))
def mode_000(folder: Path) -> Path:
    file = good(folder)
    file.chmod(0)
    return file


def _first_delivery(folder: Path, _form: str) -> list[Path]:
    earlier = folder / "monday"
    earlier.mkdir()
    return [good(earlier)]


def _restated() -> list[shop.Row]:
    rows = shop.good_rows()
    rows[5]["price"] = "7.77"
    return rows


@on_folder(
    "A16",
    Expected("accepted", "revision"),
    before=_first_delivery,
    published=True,
    rows=_restated,
)
def same_name_new_bytes(folder: Path) -> Path:
    return write(folder, "csv", shop.to_bytes(_restated(), "csv"))


@contextmanager
def _growing(file: Path) -> Iterator[None]:
    """Append a line whenever a piece of the file is copied, however busy the machine is."""
    line = shop.to_csv(shop.good_rows()[:1]).splitlines()[1].encode() + b"\n"
    copy_piece = os.sendfile

    def sendfile(*arguments: int) -> int:
        with file.open("ab") as stream:
            stream.write(line)
        return copy_piece(*arguments)

    with patch("os.sendfile", sendfile):
        yield


@on_folder("A17", refused("incomplete_upload"), during=_growing)
def growing(folder: Path) -> Path:
    return good(folder)


@on_folder("A18", refused("not_regular_file"))
def hard_link(folder: Path) -> Path:
    outside = good(folder.parent, "elsewhere.csv")
    link = folder / "orders-2026-03-05.csv"
    link.hardlink_to(outside)
    return link


@on_folder("A19", refused("outside_landing"))
def through_a_linked_folder(folder: Path) -> Path:
    outside = folder.parent / "outside"
    outside.mkdir()
    good(outside)
    (folder / "inside").symlink_to(outside, target_is_directory=True)
    return folder / "inside" / "orders-2026-03-05.csv"


def _gz(folder: Path, data: bytes) -> Path:
    return write(folder, "gz", data)


def _good_gz() -> bytes:
    return shop.to_bytes(shop.good_rows(), "gz")


@on_folder("B01", ACCEPTED, "gz")
def zipped(folder: Path) -> Path:
    return _gz(folder, _good_gz())


@on_folder("B02", refused("truncated_gzip"), "gz")
def cut_gzip(folder: Path) -> Path:
    return _gz(folder, _good_gz()[: len(_good_gz()) // 2])


@on_folder("B03", refused("truncated_gzip"), "gz")
def wrong_crc(folder: Path) -> Path:
    data = bytearray(_good_gz())
    data[-6] ^= 0xFF
    return _gz(folder, bytes(data))


@on_folder("B04", refused("decompression_bomb"), "gz")
def bomb(folder: Path) -> Path:
    header = shop.to_csv([]).encode()
    return _gz(folder, gzip.compress(header + b"0" * 60_000_000))


@on_folder("B05", refused("format_mismatch"))
def gzip_called_csv(folder: Path) -> Path:
    return write(folder, "csv", _good_gz())


@on_folder("B06", refused("format_mismatch"), "gz")
def csv_called_gzip(folder: Path) -> Path:
    return _gz(folder, shop.to_bytes(shop.good_rows(), "csv"))


def _zip(name: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, shop.to_csv(shop.good_rows()))
    return stream.getvalue()


@on_folder("B07", refused("unsupported_container"))
def zip_slip(folder: Path) -> Path:
    return write(folder, "csv", _zip("../../orders.csv"))


@on_folder("B08", refused("unsupported_container"))
def workbook(folder: Path) -> Path:
    return write(folder, "csv", _zip("xl/workbook.xml"))


@on_text("B09", refused("format_mismatch"))
def error_page(_text: str) -> str:
    return "<!DOCTYPE html>\n<html><body><h1>502 Bad Gateway</h1></body></html>\n"


@on_text("B10", refused("format_mismatch"))
def error_document(_text: str) -> str:
    return '{"error": "not found", "status": 404}\n'
