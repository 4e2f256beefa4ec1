"""One version of a dataset's table: its columns, its files, and what the log says of them."""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from trimtab.adapters import delta, delta_files
from trimtab.adapters.delta_files import PATH, DataFile
from trimtab.data import content
from trimtab.data.content import HASH


@dataclass(frozen=True)
class Table:
    """One version of a table; ``version`` is None before the first one."""

    path: str
    version: int | None
    schema: pa.Schema
    files: dict[str, DataFile]

    def read(self, files: Iterable[DataFile]) -> pl.LazyFrame:
        """Read some of the files lazily, with ``_path``."""
        return delta_files.read(self.path, list(files), self.schema)

    def rows(self) -> pl.LazyFrame:
        """Read all of it lazily, with ``_path``."""
        return self.read(self.files.values())

    def holding(self, column: str, values: Iterable[str]) -> list[DataFile]:
        """Files that can hold one of these values, by the log alone."""
        wanted = list(values)
        return [
            file
            for file in self.files.values()
            if any(file.may_hold(column, value, value) for value in wanted)
        ]

    def values(self, column: str, files: Iterable[DataFile]) -> list[str]:
        """Different values of a column in some files; the log knows them of most files."""
        told: set[str] = set()
        rest = []
        for file in files:
            if _single(file, column):
                told.add(file.low[column])
            else:
                rest.append(file)
        if rest:
            found = self.read(rest).select(pl.col(column).unique())
            told.update(found.collect(engine="streaming")[column])
        return sorted(told)


def opened(path: str, version: int) -> Table:
    """Look at a version; reads its log and no row."""
    return Table(path, version, delta.schema(path, version), delta_files.files(path, version))


def before(path: str, version: int | None, schema: pa.Schema) -> Table:
    """Look at what a commit will be made on: a version, or no table yet with these columns."""
    return Table(path, None, schema, {}) if version is None else opened(path, version)


def name_of(dataset: str, key: str) -> str:
    """Name in the table's folder of a staged file's key in the store."""
    return key.removeprefix(f"datasets/{dataset}/")


def names(rows: pl.LazyFrame) -> list[str]:
    """Columns of the table, without ``_path``."""
    return [name for name in rows.collect_schema().names() if name != PATH]


def compared(new: pl.LazyFrame, old: pl.LazyFrame, key: list[str]) -> tuple[int, int]:
    """Count the keys that are in both, and those of them whose rows say the same."""
    theirs = old.select(*key, content.row_hash(names(old)).alias("_theirs"))
    mine = new.select(*key, content.row_hash(names(new)))
    both = mine.join(theirs, on=key, how="inner", nulls_equal=True)
    equal = (pl.col(HASH) == pl.col("_theirs")).sum().alias("equal")
    known, same = both.select(pl.len(), equal).collect(engine="streaming").row(0)
    return int(known), int(same)


def _single(file: DataFile, column: str) -> bool:
    low, high = file.low.get(column), file.high.get(column)
    return low is not None and low == high and not file.nulls.get(column, 1)
