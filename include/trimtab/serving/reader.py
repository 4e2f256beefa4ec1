"""Read any CSV or Parquet by a dataset's contract, to be scored by hand."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from trimtab.config import DatasetSpec
from trimtab.config.dataset import FALSE, TRUE, ColumnType
from trimtab.dtypes import TYPES
from trimtab.errors import DataError

SHOWN = 3  # wrong values that are named per column


def read(file: Path, dataset: DatasetSpec, types: dict[str, ColumnType]) -> pl.DataFrame:
    """Read ``file`` with the columns of ``types`` in those types, others as they are.

    Raises:
        DataError: unreadable, or values of another type; names every such column.
    """
    try:
        rows = _open(file, dataset)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{file} cannot be read: {error}") from error
    return typed(rows, types, str(file))


def typed(rows: pl.DataFrame, types: Mapping[str, ColumnType], where: str) -> pl.DataFrame:
    """Return rows with the columns of ``types`` in those types, others as they are.

    Raises:
        DataError: names every column with values of another type, and ``where`` they stand.
    """
    known = {name: kind for name, kind in types.items() if name in rows.columns}
    cast = rows.with_columns(_cast(rows, name, kind) for name, kind in known.items())
    bad = [text for name in known if (text := _lost(rows[name], cast[name], types[name]))]
    if bad:
        raise DataError(f"{where}: values of the wrong type; correct them: {'; '.join(bad)}")
    return cast


def _lost(before: pl.Series, after: pl.Series, kind: ColumnType) -> str:
    """Name the first values that were lost in the cast, with their rows; '' when none was."""
    at = (before.is_not_null() & after.is_null()).arg_true()
    if at.is_empty():
        return ""
    shown = [f"{before[row]!r} in row {row + 1}" for row in at.head(SHOWN)]
    return f"{before.name} ({at.len()} value(s) are no {kind}: {', '.join(shown)})"


def _open(file: Path, dataset: DatasetSpec) -> pl.DataFrame:
    if file.suffix.lower() in (".parquet", ".pq"):
        return pl.read_parquet(file)
    source = dataset.source.reading
    return pl.read_csv(
        file,
        separator=source.delimiter,
        null_values=list(source.null_values),
        infer_schema=False,
        encoding="utf8",
    )


def _cast(rows: pl.DataFrame, name: str, kind: ColumnType) -> pl.Expr:
    column = pl.col(name)
    if rows.schema[name] != pl.String():
        return column.cast(TYPES[kind], strict=False)
    if kind == "time":
        return column.str.to_datetime(time_unit="us", time_zone="UTC", strict=False)
    if kind == "bool":
        words = {**dict.fromkeys(TRUE, True), **dict.fromkeys(FALSE, False)}
        return column.str.to_lowercase().replace_strict(words, default=None)
    return column.cast(TYPES[kind], strict=False)
