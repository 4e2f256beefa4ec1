"""A file's rows in types that can be compared: its own, or those of another file or a contract."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from trimtab.config.dataset import ColumnType
from trimtab.errors import DataError
from trimtab.profiling import columns, reading
from trimtab.profiling.profile import inspected

_NUMBERS: Collection[ColumnType] = ("int", "float")
_IDENTIFIER = 50  # rows, of which each may not by accident have another whole number


@dataclass(frozen=True)
class TypedFile:
    """``rows`` has every column; those of ``left_out`` (name to reason) cannot be compared."""

    file: Path
    rows: pl.LazyFrame
    height: int
    types: dict[str, ColumnType]
    left_out: dict[str, str] = field(default_factory=dict)
    whole: bool = True  # False: only the first rows of a very long text file were looked at

    @property
    def time(self) -> str | None:
        """The first time column without a gap, by which the rows are ordered."""
        times = [name for name, kind in self.types.items() if kind == "time"]
        gaps = self.rows.select(pl.col(times).null_count()).collect() if times else None
        return next((n for n in times if gaps is not None and not gaps[n].item()), None)

    def times(self, column: str | None) -> pl.DataFrame:
        """The values of another file's time column here; none where it is none."""
        kind = self.rows.collect_schema().get(column) if column else None
        if column is None or not isinstance(kind, pl.Datetime):
            return pl.DataFrame(schema={column: pl.Datetime("us")} if column else {})
        return self.rows.select(column).drop_nulls().collect(engine="streaming")


def read(file: Path, like: Mapping[str, ColumnType] | None = None) -> TypedFile:
    """Read a file in its own types, or where they fit in those of ``like``.

    Parquet is only scanned; text is read as `reading.read` does. A column that is not of the type
    it should be stays as it is: whoever compares it sees that.

    Raises:
        DataError: it is no table.
    """
    if not file.exists():
        raise DataError(f"{file}: there is no such file; check the path")
    if file.suffix.lower() == ".parquet":
        return _parquet(file, like)
    table = reading.read(file)
    found = [_wanted(column, like) for column in inspected(table)]
    typed = columns.typed(table.rows, found)
    types = {c.name: c.type for c in found}
    if like is not None:
        return TypedFile(file, typed.lazy(), typed.height, types, whole=table.whole)
    out = {c.name: why for c in found if (why := _text_out(c))}
    return TypedFile(file, typed.lazy(), typed.height, types, out, whole=table.whole)


def _wanted(column: columns.Column, like: Mapping[str, ColumnType] | None) -> columns.Column:
    """The column in the type it should have, where what it holds allows it."""
    kind = (like or {}).get(column.name)
    if kind is None or kind == column.type:
        return column
    plain = kind in ("category", "text")
    numbers = kind in _NUMBERS and column.type in _NUMBERS
    if plain or numbers or not column.distinct:
        return replace(column, type="float" if numbers else kind, naive_time=False)
    return column


def _text_out(column: columns.Column) -> str:
    if column.type == "text" and not column.naive_time:
        return "free text, or identifiers"
    if column.type == "int" and column.distinct == column.rows > _IDENTIFIER:
        return "another value in every row"
    return ""


def _parquet(file: Path, like: Mapping[str, ColumnType] | None) -> TypedFile:
    try:
        rows = pl.scan_parquet(file)
        schema = rows.collect_schema()
        height = int(rows.select(pl.len()).collect().item())
    except (PolarsError, OSError) as error:
        first = str(error).splitlines()[0]
        raise DataError(f"{file}: is no Parquet file: {first}; check content and ending") from None
    types = {name: kind for name, dtype in schema.items() if (kind := _type(dtype))}
    out = {n: f"{dtype}, which cannot be counted" for n, dtype in schema.items() if n not in types}
    if like is None:
        out |= _distinct_out(rows, types, height)
    return TypedFile(file, rows, height, types, out)


def _type(dtype: pl.DataType) -> ColumnType | None:
    if dtype.is_integer():
        return "int"
    if dtype.is_float() or dtype.is_decimal():
        return "float"
    if dtype == pl.Boolean:
        return "bool"
    if isinstance(dtype, pl.Datetime):
        return "time"
    return "category" if isinstance(dtype, pl.String | pl.Categorical | pl.Enum) else None


def _distinct_out(
    rows: pl.LazyFrame, types: Mapping[str, ColumnType], height: int
) -> dict[str, str]:
    """Identifiers and free text, by about how many different values a column has."""
    asked = [name for name, kind in types.items() if kind in ("int", "category")]
    if not asked or not height:
        return {}
    distinct = rows.select(pl.col(asked).approx_n_unique()).collect(engine="streaming")
    out = {}
    for name in asked:
        different = int(distinct[name].item())
        if types[name] == "int" and height > _IDENTIFIER and different > 0.8 * height:
            if rows.select(pl.col(name).n_unique()).collect(engine="streaming").item() == height:
                out[name] = "another value in every row"
        elif types[name] == "category" and not columns.is_category(different, height):
            out[name] = "free text, or identifiers"
    return out
