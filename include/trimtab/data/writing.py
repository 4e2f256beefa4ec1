"""What a file does to its table, by the dataset's way to write; nothing is changed here.

A plan is a function of the file, the contract and one version of the table. So whoever comes back
after a kill makes the same plan again, and writes the same files under the same names.
"""

from dataclasses import dataclass, field, replace
from typing import Literal

import polars as pl
import pyarrow as pa

from trimtab.adapters import delta_files
from trimtab.adapters.delta_files import PATH, DataFile
from trimtab.config import DatasetSpec
from trimtab.data import clashes, content
from trimtab.data.content import Content
from trimtab.data.rewriting import Out, Rewriter, where
from trimtab.data.table import Table, compared, name_of, names
from trimtab.data.text import FINDINGS
from trimtab.environment import Environment
from trimtab.ledger import datasets
from trimtab.types import FILE, PARTITION, ROW, FileVerdict

Operation = Literal["append", "upsert", "replace_partition", "restate", "none"]


def _nothing() -> pl.DataFrame:
    return pl.DataFrame(schema=FINDINGS)


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
    aside: pl.DataFrame = field(default_factory=_nothing)
    replaces: tuple[str, ...] = ()
    partitions: tuple[str, ...] = ()
    difference: tuple[Content, Content] = (Content(), Content())  # what comes, what goes

    @property
    def nothing(self) -> bool:
        """Whether the table stays as it is."""
        return not self.add and not self.remove


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
        self.rewriter = Rewriter(env, file.dataset, file.sha256, table)
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
        """Take the rows whose key no other file has; a file it restates gives way whole."""
        before = self.table.holding(FILE, self.namesakes)
        there = self._restated(before)
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
            self.rewriter.without(before, where(gone)),
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
        paths = touched[PATH].unique().sort()
        out = self.rewriter.without([self.table.files[path] for path in paths], split)
        return self._made("upsert", came, out, unchanged=same.height, superseded=lost.height)

    def replace_partition(self) -> Plan:
        """Replace the partitions the file has rows of, unless a later file has replaced them."""
        parts = self.new.select(pl.col(PARTITION).unique()).collect(engine="streaming")[PARTITION]
        before = self.table.holding(PARTITION, parts.to_list())
        newer = self.table.read(before).filter(pl.col(FILE).is_in(self.later))
        late = newer.select(pl.col(PARTITION).unique()).collect(engine="streaming")[PARTITION]
        gone = pl.col(PARTITION).is_in(sorted(set(parts) - set(late)))
        lost = self.new.filter(pl.col(PARTITION).is_in(late.to_list())).select(ROW).collect()
        others = self.table.read(self._sharing()).filter(~gone)
        met = clashes.judged(self.new, clashes.find(self.new, others, self.key), self.key)
        met = met.join(lost, on=ROW, how="anti")
        came = self._write(pl.concat([lost, met.select(ROW)]))
        out = self.rewriter.without(before, where(gone))
        return self._made("replace_partition", came, out, clash=met, superseded=lost.height)

    def _made(
        self,
        operation: Operation,
        came: DataFile | None,
        out: Out,
        *,
        clash: pl.DataFrame | None = None,
        unchanged: int = 0,
        superseded: int = 0,
    ) -> Plan:
        new = self.table.read([came] if came else [])
        comes = content.of(new, names(new))
        told = Plan(
            "none",
            unchanged=unchanged + comes.rows,
            superseded=superseded,
            aside=clashes.findings(clash, self.key) if clash is not None else _nothing(),
        )
        if comes == out.content:  # the same rows, perhaps in another order
            return told
        known, equal = compared(new, out.rows, self.key) if out.content.rows else (0, 0)
        parts = new.select(pl.col(PARTITION).unique().sort()).collect(engine="streaming")
        return replace(
            told,
            operation=operation,
            add=(*([came] if came else []), *out.rewritten),
            remove=out.removed,
            rows=comes.rows,
            added=comes.rows - known,
            updated=known - equal,
            removed=out.content.rows - known,
            unchanged=unchanged + equal,
            replaces=self._replaced(out),
            partitions=tuple(parts[PARTITION]),
            difference=(comes, out.content),
        )

    def _restated(self, before: list[DataFile]) -> set[str]:
        """Files of this name at least half of whose keys come again.

        A feed that writes every day's rows to the same name restates nothing: that is more data.
        """
        rows = self.table.read(before).filter(pl.col(FILE).is_in(self.namesakes))
        again = rows.join(self.new.select(self.key), on=self.key, how="semi", nulls_equal=True)
        counted = rows.group_by(FILE).len().join(again.group_by(FILE).len("again"), on=FILE)
        most = counted.filter(2 * pl.col("again") >= pl.col("len")).select(FILE)
        return set(most.collect(engine="streaming")[FILE])

    def _replaced(self, out: Out) -> tuple[str, ...]:
        """Files that had rows in the table and have none any more."""
        gone = {file.name for file in out.removed}
        left = [file for file in self.table.files.values() if file.name not in gone]
        return tuple(
            sha
            for sha in self.table.values(FILE, out.removed)
            if not any(file.may_hold(FILE, sha, sha) for file in (*left, *out.rewritten))
        )

    def _sharing(self) -> list[DataFile]:
        """Files of the table that can hold a key of the new file, by the log alone."""
        files = self.table.files.values()
        return [file for file in files if file.may_share(self.mine, self.key)]

    def _met(self, clash: pl.DataFrame) -> pl.DataFrame:
        keys = clash.lazy().select(self.key)
        rows = self.new.select(*self.key, ROW).join(keys, on=self.key, how="semi", nulls_equal=True)
        return rows.collect(engine="streaming")

    def _write(self, dropped: pl.DataFrame) -> DataFile | None:
        """Return the file of the new rows less some; the staged file itself when none is."""
        if dropped.is_empty():
            return self.mine if self.mine.rows else None
        left = self.new.join(dropped.lazy().select(ROW), on=ROW, how="anti", maintain_order="left")
        return self.rewriter.put(left)
