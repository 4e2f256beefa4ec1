"""Read Parquet batch by batch, its footer first."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from trimtab.config import DatasetSpec
from trimtab.config.dataset import ColumnType
from trimtab.data import text
from trimtab.data.reasons import FileReason, RefusedFileError
from trimtab.data.text import Table, Text
from trimtab.types import ROW

_BATCH = 100_000  # rows
_MAGIC = b"PAR1"


def read(path: Path, spec: DatasetSpec) -> Table:
    """Open a Parquet file.

    Raises:
        RefusedFileError: broken, too large by its own footer, or no table of this contract.
    """
    try:
        file = pq.ParquetFile(path, page_checksum_verification=True, pre_buffer=False)
        schema = file.schema_arrow
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _corrupt(error) from None
    _check_footer(file.metadata, path.stat().st_size, spec)
    columns = text.columns(schema.names, spec)
    _check_types(schema, spec)
    return Table(columns, _blocks(file, columns, spec))


def _corrupt(error: Exception) -> RefusedFileError:
    return RefusedFileError(FileReason.CORRUPT_PARQUET, str(error)[:500])


def _check_footer(footer: pq.FileMetaData, size: int, spec: DatasetSpec) -> None:
    limits = spec.limits
    if footer.num_rows > limits.max_rows:
        detail = f"{footer.num_rows} rows; limits.max_rows is {limits.max_rows}"
        raise RefusedFileError(FileReason.TOO_MANY_ROWS, detail)
    groups = range(footer.num_row_groups)
    unpacked = sum(footer.row_group(number).total_byte_size for number in groups)
    # one dictionary entry may stand for every row, so cells count, too: a byte each at least
    cells = footer.num_rows * footer.num_columns
    if max(unpacked, cells) > limits.max_expansion * size or unpacked > limits.max_bytes:
        told = f"{size} bytes become {max(unpacked, cells)} or more"
        detail = f"{told}; limits allow {limits.max_expansion:g} times, {limits.max_bytes} bytes"
        raise RefusedFileError(FileReason.DECOMPRESSION_BOMB, detail)


def _check_types(schema: pa.Schema, spec: DatasetSpec) -> None:
    wrong = [
        f"{name} is {schema.field(name).type}, the contract says {column.type}"
        for name, column in spec.columns.items()
        if not _fits(schema.field(name).type, column.type)
    ]
    if wrong:
        raise RefusedFileError(FileReason.COLUMN_TYPE_FLIP, "; ".join(wrong))


def _fits(kind: pa.DataType, column: ColumnType) -> bool:
    """Whether values of this type can be read as the column's; text is cast by the contract."""
    if pa.types.is_dictionary(kind):
        return _fits(kind.value_type, column)
    if _is_text(kind) or pa.types.is_null(kind):
        return True
    whole: bool = pa.types.is_integer(kind)
    found: dict[ColumnType, bool] = {
        "int": whole,
        "float": whole or pa.types.is_floating(kind) or pa.types.is_decimal(kind),
        "bool": pa.types.is_boolean(kind),
        "time": pa.types.is_timestamp(kind) or pa.types.is_date(kind),
        "text": False,
        "category": False,
    }
    return found[column]


def _is_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def _blocks(file: pq.ParquetFile, columns: tuple[str, ...], spec: DatasetSpec) -> Iterator[Text]:
    position = 1
    try:
        for batch in file.iter_batches(_BATCH, columns=list(columns), use_threads=True):
            batch.validate(full=True)  # a flipped bit may leave text that is no UTF-8
            frame = pl.DataFrame(pl.from_arrow(pa.Table.from_batches([batch])))
            numbers = pl.int_range(position, pl.len() + position).alias(ROW)
            yield Text(frame.select(*(_cell(frame, name) for name in columns), numbers))
            position += frame.height
    except (pa.ArrowException, OSError, pl.exceptions.PolarsError) as error:
        raise _corrupt(error) from None


def _cell(rows: pl.DataFrame, name: str) -> pl.Expr:
    """A column as text, unless its type says what its text could not."""
    kind, column = rows.schema[name], pl.col(name)
    if isinstance(kind, pl.Datetime) and kind.time_zone:
        return column.cast(pl.Datetime("us", "UTC"))
    if kind.is_float() or kind.is_integer() or kind == pl.Boolean():
        return column
    return column.cast(pl.String)
