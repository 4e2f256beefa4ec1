"""G: Parquet."""

import io
import math
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from tests.corpus import shop
from tests.corpus.case import ACCEPTED, aside, on_folder, refused, write


def _parquet(folder: Path, data: bytes) -> Path:
    return write(folder, "parquet", data)


def _table() -> pa.Table:
    return shop.table(shop.good_rows())


def _with(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, values)


@on_folder("G01", ACCEPTED, "parquet")
def clean(folder: Path) -> Path:
    return _parquet(folder, shop.parquet(_table()))


@on_folder("G02", refused("corrupt_parquet"), "parquet")
def truncated(folder: Path) -> Path:
    data = shop.parquet(_table())
    return _parquet(folder, data[: len(data) // 2])


@on_folder("G03", refused("corrupt_parquet"), "parquet")
def flipped_byte(folder: Path) -> Path:
    """A byte of the first column's data page is another one: its checksum does not fit."""
    stream = io.BytesIO()
    pq.write_table(_table(), stream, write_page_checksum=True, compression="none")
    data = bytearray(stream.getvalue())
    data[data.index(b"00030") + 3] ^= 0x10
    return _parquet(folder, bytes(data))


@on_folder("G04", refused("column_type_flip"), "parquet")
def id_as_number(folder: Path) -> Path:
    table = _table()
    numbers = pa.array([int(value.as_py()) for value in table["order_id"]], pa.int64())
    return _parquet(folder, shop.parquet(_with(table, "order_id", numbers)))


@on_folder("G05", aside(not_finite=3, null_not_allowed=1), "parquet")
def not_finite(folder: Path) -> Path:
    table = _table()
    prices = table["price"].to_pylist()
    prices[5], prices[50], prices[100], prices[150] = math.nan, None, math.inf, -math.inf
    return _parquet(folder, shop.parquet(_with(table, "price", pa.array(prices, pa.float64()))))


@on_folder("G06", refused("format_mismatch"), "parquet")
def csv_inside(folder: Path) -> Path:
    return _parquet(folder, shop.to_bytes(shop.good_rows(), "csv"))


@on_folder("G07", refused("too_many_rows"), "parquet")
def bomb(folder: Path) -> Path:
    """Three million equal rows in a few kilobytes; the footer says how many."""
    one = _table().slice(0, 1)
    block = pa.concat_tables([one] * 100_000).combine_chunks()
    file = folder / "orders-2026-03-05.parquet"
    with pq.ParquetWriter(file, one.schema, compression="zstd") as writer:
        for _ in range(30):
            writer.write_table(block)
    return file


@on_folder("G08", ACCEPTED, "parquet")
def other_encodings(folder: Path) -> Path:
    table = _table()
    table = _with(table, "country", table["country"].combine_chunks().dictionary_encode())
    table = _with(table, "note", table["note"].cast(pa.large_string()))
    return _parquet(folder, shop.parquet(table))


@on_folder("G09", refused("column_type_flip"), "parquet")
def nested(folder: Path) -> Path:
    table = _table()
    notes = pa.array([{"text": note} for note in table["note"].to_pylist()])
    return _parquet(folder, shop.parquet(_with(table, "note", notes)))
