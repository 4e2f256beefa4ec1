"""Files that hold what is left when rows go; the files they replace stay where they lie."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from trimtab.adapters import delta_files
from trimtab.adapters.delta_files import PATH, DataFile
from trimtab.data import content, staging
from trimtab.data.content import Content
from trimtab.data.table import Table, name_of, names
from trimtab.environment import Environment

Split = Callable[[pl.LazyFrame, bool], pl.LazyFrame]  # rows that go (True), rows that stay (False)


@dataclass(frozen=True)
class Out:
    """Rows that leave the table, and the files they leave behind."""

    removed: tuple[DataFile, ...]
    rewritten: tuple[DataFile, ...]
    content: Content
    rows: pl.LazyFrame


@dataclass(frozen=True)
class Rewriter:
    """Writes files into the folder of one table, for one delivered file."""

    env: Environment
    dataset: str
    sha256: str
    table: Table

    def put(self, rows: pl.LazyFrame) -> DataFile | None:
        """Write rows under a name that says what they are; None when there are none."""
        with tempfile.TemporaryDirectory() as folder:
            aside = Path(folder) / "rows.parquet"
            rows.drop(PATH).sink_parquet(aside, compression=staging.COMPRESSION)
            if not pl.scan_parquet(aside).select(pl.len()).collect().item():
                return None
            key = staging.put_rows(self.env, self.dataset, self.sha256, aside)
        return delta_files.described(self.table.path, name_of(self.dataset, key))

    def without(self, files: Sequence[DataFile], split: Split) -> Out:
        """Copy, of the files that hold rows that go, the rows that stay."""
        removed: list[DataFile] = []
        rewritten: list[DataFile] = []
        total = Content()
        for file in files:
            rows = self.table.read([file])
            goes = content.of(split(rows, True), names(rows))
            if goes.rows:
                removed.append(file)
                total += goes
            if 0 < goes.rows < file.rows and (rest := self.put(split(rows, False))):
                rewritten.append(rest)
        return Out(tuple(removed), tuple(rewritten), total, split(self.table.read(removed), True))


def where(goes: pl.Expr) -> Split:
    """Split by a condition."""
    return lambda rows, out: rows.filter(goes if out else ~goes)
