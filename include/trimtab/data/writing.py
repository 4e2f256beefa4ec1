"""What a file does to its table, by the dataset's way to write; nothing is changed here.

A plan is a function of the file, the contract and one version of the table. So whoever comes back
after a kill makes the same plan again, and writes the same files under the same names.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import polars as pl
import pyarrow as pa

from trimtab.adapters import delta, delta_files
from trimtab.adapters.delta_files import DataFile
from trimtab.config import DatasetSpec
from trimtab.data import clashes, content, staging
from trimtab.data.cast import FINDINGS
from trimtab.data.content import HASH, Content
from trimtab.environment import Environment
from trimtab.ledger import datasets
from trimtab.types import FILE, PARTITION, ROW, FileVerdict

Operation = Literal["append", "upsert", "replace_partition", "restate", "none"]
Split = Callable[[pl.LazyFrame, bool], pl.LazyFrame]  # rows that go (True), rows that stay (False)


@dataclass(frozen=True)
class Plan:
    """What one commit will add and remove, and what it does to the rows."""

    operation: Operation
    add: tuple[DataFile, ...] = ()
    remove: tuple[DataFile, ...] = ()
    rows: int = 0
    added: int = 0
    updated: int = 0
    removed: int = 0
    unchanged: int = 0
    superseded: int = 0
    aside: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=FINDINGS))
    replaces: tuple[str, ...] = ()
    partitions: tuple[str, ...] = ()
    difference: tuple[Content, Content] = (Content(), Content())  # what comes, what goes

    @property
    def nothing(self) -> bool:
        """Whether the table stays as it is."""
        return not self.add and not self.remove


@dataclass(frozen=True)
class Table:
    """One version of a table: its columns and its files."""

    path: str
    version: int | None
    schema: pa.Schema
    files: dict[str, DataFile]

    def read(self, files: list[DataFile]) -> pl.LazyFrame:
        """Read some of the files lazily, with ``_path``."""
        return delta_files.read(self.path, files, self.schema)


def at(path: str, version: int | None, schema: pa.Schema) -> Table:
    """Look at one version of a table; None: before its first one, with the columns it will have."""
    if version is None:
        return Table(path, None, schema, {})
    return Table(path, version, delta.schema(path, version), delta_files.files(path, version))


def name_of(dataset: str, key: str) -> str:
    """Name in the table's folder of a staged file's key in the store."""
    return key.removeprefix(f"datasets/{dataset}/")


def plan(env: Environment, file: FileVerdict, staged: str, table: Table) -> Plan:
    """Say what publishing the rows under ``staged`` does to ``table``."""
    spec = env.project.dataset(file.dataset)
    return _Writing(env, spec, file, staged, table).plan()


class _Writing:
    """One file on its way into one version of a table."""

    def __init__(
        self, env: Environment, spec: DatasetSpec, file: FileVerdict, staged: str, table: Table
    ) -> None:
        self.env, self.spec, self.file, self.table = env, spec, file, table
        self.key = list(spec.key)
        self.mine = delta_files.described(table.path, name_of(file.dataset, staged))
        own = delta_files.columns(table.path, self.mine.name)
        types = [field for field in table.schema if field.name in own.names]
        self.new = delta_files.read(table.path, [self.mine], pa.schema(types))
        rank = datasets.order(env.ledger, file.dataset)
        self.later = [sha for sha in rank if rank[sha] > rank.get(file.sha256, 0)]
        self.namesakes = [
            sha for sha in datasets.named(env.ledger, file.dataset, file.name) if sha != file.sha256
        ]

    def plan(self) -> Plan:
        """Ask the dataset's way to write."""
        ways = {
            "append": self.append,
            "upsert": self.upsert,
            "replace_partition": self.replace_partition,
        }
        return ways[self.spec.write]()

    def append(self) -> Plan:
        """Take the rows whose key no other file has; a file of the same name gives way whole."""
        before = self._holding(FILE, self.namesakes)
        there = set(self._values(FILE, before)) & set(self.namesakes)
        if there & set(self.later):
            return Plan("none", superseded=self.mine.rows)
        gone = pl.col(FILE).is_in(sorted(there))
        others = self.table.read(self._sharing()).filter(~gone)
        met = clashes.judged(self.new, clashes.find(self.new, others, self.key), self.key)
        came = self._write(met)
        operation: Operation = "restate" if there else "append"
        return self._made(
            operation,
            came,
            self._without(before, _split(gone)),
            clash=met,
        )

    def upsert(self) -> Plan:
        """Replace rows of equal key, unless a file that came later has brought them."""
        clash = clashes.find(self.new, self.table.read(self._sharing()), self.key)
        newer = pl.col(FILE).is_in(self.later)
        lost = self._met(clash.filter(newer))
        met = clashes.judged(self.new, clash.filter(~newer), self.key)
        same, changed = met.filter("same"), met.filter(~pl.col("same"))
        came = self._write(pl.concat([lost.select(ROW), same.select(ROW)]))
        keys = changed.select(self.key)

        def split(rows: pl.LazyFrame, goes: bool) -> pl.LazyFrame:
            how: Literal["semi", "anti"] = "semi" if goes else "anti"
            return rows.join(
                keys.lazy(), on=self.key, how=how, nulls_equal=True, maintain_order="left"
            )

        touched = clash.filter(~newer).join(keys, on=self.key, how="semi", nulls_equal=True)
        paths = touched[clashes.PATH].unique().sort()
        out = self._without([self.table.files[path] for path in paths], split)
        return self._made("upsert", came, out, unchanged=same.height, superseded=lost.height)

    def replace_partition(self) -> Plan:
        """Replace the partitions the file has rows of, unless a later file has replaced them."""
        parts = self.new.select(pl.col(PARTITION).unique()).collect(engine="streaming")[PARTITION]
        before = self._holding(PARTITION, parts.to_list())
        newer = self.table.read(before).filter(pl.col(FILE).is_in(self.later))
        late = newer.select(pl.col(PARTITION).unique()).collect(engine="streaming")[PARTITION]
        gone = pl.col(PARTITION).is_in(sorted(set(parts) - set(late)))
        lost = self.new.filter(pl.col(PARTITION).is_in(late.to_list())).select(ROW).collect()
        others = self.table.read(self._sharing()).filter(~gone)
        met = clashes.judged(self.new, clashes.find(self.new, others, self.key), self.key)
        met = met.join(lost, on=ROW, how="anti")
        came = self._write(pl.concat([lost, met.select(ROW)]))
        out = self._without(before, _split(gone))
        return self._made("replace_partition", came, out, clash=met, superseded=lost.height)

    def _made(
        self,
        operation: Operation,
        came: DataFile | None,
        out: "_Out",
        *,
        clash: pl.DataFrame | None = None,
        unchanged: int = 0,
        superseded: int = 0,
    ) -> Plan:
        aside = clashes.findings(clash, self.key) if clash is not None else None
        more = {"aside": aside} if aside is not None else {}
        new = self.table.read([came]) if came else None
        comes = content.of(new, _names(new)) if new is not None else Content()
        if comes == out.content:  # the same rows, perhaps in another order
            return Plan("none", unchanged=unchanged + comes.rows, superseded=superseded, **more)
        known, equal = compared(new, out.rows, self.key) if new is not None else (0, 0)
        return Plan(
            operation,
            add=(*([came] if came else []), *out.rewritten),
            remove=out.removed,
            rows=comes.rows,
            added=comes.rows - known,
            updated=known - equal,
            removed=out.content.rows - known,
            unchanged=unchanged + equal,
            superseded=superseded,
            replaces=self._replaced(out),
            partitions=tuple(new.select(pl.col(PARTITION).unique().sort()).collect()[PARTITION])
            if new is not None
            else (),
            difference=(comes, out.content),
            **more,
        )

    def _replaced(self, out: "_Out") -> tuple[str, ...]:
        """Files that had rows in the table and have none any more."""
        gone = {file.name for file in out.removed}
        left = [file for file in self.table.files.values() if file.name not in gone]
        return tuple(
            sha
            for sha in sorted(self._values(FILE, list(out.removed)))
            if not any(file.may_hold(FILE, sha, sha) for file in (*left, *out.rewritten))
        )

    def _sharing(self) -> list[DataFile]:
        """Files of the table that can hold a key of the new file, by the log alone."""
        files = self.table.files.values()
        return [file for file in files if file.may_share(self.mine, self.key)]

    def _holding(self, column: str, values: list[str]) -> list[DataFile]:
        """Files of the table that can hold one of these values."""
        return [
            file
            for file in self.table.files.values()
            if any(file.may_hold(column, value, value) for value in values)
        ]

    def _values(self, column: str, files: list[DataFile]) -> list[str]:
        """Different values of a column in some files; the log knows them of most files."""
        plain = {f.low[column] for f in files if _single(f, column)}
        rest = [file for file in files if not _single(file, column)]
        found = self.table.read(rest).select(pl.col(column).unique())
        return [*plain, *found.collect(engine="streaming")[column]] if rest else [*plain]

    def _met(self, clash: pl.DataFrame) -> pl.DataFrame:
        keys = clash.lazy().select(self.key)
        rows = self.new.select(*self.key, ROW).join(keys, on=self.key, how="semi", nulls_equal=True)
        return rows.collect(engine="streaming")

    def _write(self, dropped: pl.DataFrame) -> DataFile | None:
        """Return the file of the new rows less some; the staged file itself when none is."""
        if dropped.is_empty():
            return self.mine if self.mine.rows else None
        left = self.new.join(dropped.lazy().select(ROW), on=ROW, how="anti", maintain_order="left")
        return self._put(left)

    def _put(self, rows: pl.LazyFrame) -> DataFile | None:
        with tempfile.TemporaryDirectory() as folder:
            aside = Path(folder) / "rows.parquet"
            rows.drop(clashes.PATH).sink_parquet(aside)
            if not pl.scan_parquet(aside).select(pl.len()).collect().item():
                return None
            key = staging.put_rows(self.env, self.file.dataset, self.file.sha256, aside)
        return delta_files.described(self.table.path, name_of(self.file.dataset, key))

    def _without(self, files: list[DataFile], split: Split) -> "_Out":
        """Copy, of the files that hold rows that go, the rows that stay."""
        removed: list[DataFile] = []
        rewritten: list[DataFile] = []
        total = Content()
        for file in files:
            rows = self.table.read([file])
            goes = content.of(split(rows, True), _names(rows))
            if goes.rows:
                removed.append(file)
                total += goes
            if 0 < goes.rows < file.rows and (rest := self._put(split(rows, False))):
                rewritten.append(rest)
        gone = split(self.table.read(removed), True)
        return _Out(tuple(removed), tuple(rewritten), total, gone)


@dataclass(frozen=True)
class _Out:
    """Rows that leave the table, and the files they leave behind."""

    removed: tuple[DataFile, ...]
    rewritten: tuple[DataFile, ...]
    content: Content
    rows: pl.LazyFrame


def compared(new: pl.LazyFrame, old: pl.LazyFrame, key: list[str]) -> tuple[int, int]:
    """Count the keys that are in both, and those of them whose rows say the same."""
    theirs = old.select(*key, content.row_hash(_names(old)).alias("_theirs"))
    mine = new.select(*key, content.row_hash(_names(new)))
    both = mine.join(theirs, on=key, how="inner", nulls_equal=True)
    equal = (pl.col(HASH) == pl.col("_theirs")).sum().alias("equal")
    known, same = both.select(pl.len(), equal).collect(engine="streaming").row(0)
    return int(known), int(same)


def _names(rows: pl.LazyFrame) -> list[str]:
    return [name for name in rows.collect_schema().names() if name != clashes.PATH]


def _split(goes: pl.Expr) -> Split:
    return lambda rows, out: rows.filter(goes if out else ~goes)


def _single(file: DataFile, column: str) -> bool:
    low, high = file.low.get(column), file.high.get(column)
    return low is not None and low == high and not file.nulls.get(column, 1)
