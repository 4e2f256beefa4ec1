"""The verdict on one file: a function of its bytes, name and arrival, and of its contract."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

from trimtab.config import DatasetSpec
from trimtab.data import cast, formats, history, names, staging, whole
from trimtab.data.cells import Context
from trimtab.data.reasons import AcceptReason, FileReason, RefusedFileError
from trimtab.data.repeats import Keys
from trimtab.data.spool import Spool
from trimtab.data.text import Table, Text
from trimtab.types import PARTITION, ROW, FileVerdict


def _ahead(blocks: Iterator[Text]) -> Iterator[Text]:
    """Read the next block in a thread of its own while this one is judged."""
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, blocks, None)
        while (text := coming.result()) is not None:
            coming = reader.submit(next, blocks, None)
            yield text


@dataclass(frozen=True)
class Judgement:
    """What a file holds. ``reason`` is 'ok' when its good rows may go on.

    ``rows`` is a Parquet file of the good rows in the contract's types, with the system columns;
    ``bad`` the others as text, with ``_reason``, ``_column`` and ``_line``.
    """

    reason: str
    detail: str = ""
    rows_read: int = 0
    rows_good: int = 0
    rows: Path | None = None
    bad: pl.LazyFrame | None = None
    counts: Mapping[tuple[str, str | None], int] = field(default_factory=dict)
    partitions: tuple[str, ...] = ()
    newest: datetime | None = None
    medians: Mapping[str, float] = field(default_factory=dict)

    @property
    def accepted(self) -> bool:
        """Whether the good rows may go on."""
        return self.reason == AcceptReason.OK

    @property
    def quarantined(self) -> dict[str, int]:
        """Rows by reason; the good rows of a refused file are counted under the file's reason."""
        found: dict[str, int] = {}
        for (reason, _), count in sorted(self.counts.items(), key=lambda item: item[0][0]):
            found[reason] = found.get(reason, 0) + count
        if not self.accepted and self.rows_good:
            found[self.reason] = self.rows_good
        return found


def judge(
    file: Path,
    spec: DatasetSpec,
    *,
    name: str,
    sha256: str,
    folder: Path,
    arrived: datetime | None = None,
    earlier: Sequence[FileVerdict] = (),
) -> Judgement:
    """Judge a local copy of a file by its contract alone; publishing looks at the table.

    Args:
        file: the copy; read once, in bounded memory.
        spec: the contract.
        name: what the file is called where it came from.
        sha256: hash of its bytes.
        folder: an empty folder for the rows; the caller removes it.
        arrived: when the file came; event time may not be much later.
        earlier: verdicts on files before it, for ``history``.
    """
    try:
        return _Pass(file, spec, name, sha256, folder, arrived).judged(earlier)
    except RefusedFileError as refused:
        return Judgement(str(refused.reason), refused.detail)


class _Pass:
    """One pass over a file. What it found may be asked once all blocks were read."""

    def __init__(
        self,
        file: Path,
        spec: DatasetSpec,
        name: str,
        sha256: str,
        folder: Path,
        arrived: datetime | None,
    ) -> None:
        self.file, self.spec, self.name, self.sha256 = file, spec, name, sha256
        self.folder, self.good = folder, folder / "good.parquet"
        future = spec.limits.future
        latest = arrived + future if arrived and future is not None else None
        self.context = Context(spec, latest, names.period(name, spec))
        self.keys = Keys(spec)
        self.read = 0

    def judged(self, earlier: Sequence[FileVerdict]) -> Judgement:
        with formats.opened(self.file, self.name, self.spec) as table:
            self.spool = Spool(self.folder, table.columns)
            self._write(table)
        if not self.read:
            raise RefusedFileError(FileReason.NO_ROWS, "there is a header and no row below it")
        self._set_repeats_aside()
        return self._decided(earlier)

    def _write(self, table: Table) -> None:
        """Let Polars write the good rows while the next block is read."""

        def blocks(*_asked: Any) -> Iterator[pl.DataFrame]:
            for text in _ahead(table.blocks):
                yield self._block(text)

        types = cast.schema(self.spec, table.columns)
        rows = register_io_source(blocks, schema=types)
        rows.sink_parquet(self.good, compression=staging.COMPRESSION)

    def _block(self, text: Text) -> pl.DataFrame:
        self.read += text.count
        if self.read > (most := self.spec.limits.max_rows):
            detail = f"more than {most} rows; see limits.max_rows"
            raise RefusedFileError(FileReason.TOO_MANY_ROWS, detail)
        found = cast.cast(text, self.context, sha256=self.sha256, stem=names.stem(self.name))
        self.spool.add(text.ragged)
        self.spool.add(found.bad)
        self.keys.add(found.good)
        return found.good

    def _set_repeats_aside(self) -> None:
        """Take rows that share a key out of the good ones, and read their text once more."""
        findings = self.keys.findings(self.good)
        if findings.is_empty():
            return
        aside = findings[ROW].implode()
        for rows in formats.again(self.file, self.name, self.spec, findings):
            self.spool.add(rows)
        left = self.folder / "left.parquet"
        kept = pl.scan_parquet(self.good).filter(~pl.col(ROW).is_in(aside))
        kept.sink_parquet(left, compression=staging.COMPRESSION)
        left.replace(self.good)

    def _decided(self, earlier: Sequence[FileVerdict]) -> Judgement:
        rows, counts = pl.scan_parquet(self.good), self.spool.counts
        refusal = whole.refusal(rows, counts, self.read, self.spec, earlier)
        reason, detail = refusal or (AcceptReason.OK, "")
        time = self.spec.time
        newest = pl.col(time).max() if time else pl.lit(None)
        parts = pl.col(PARTITION).unique().sort().implode()
        seen = rows.select(newest.alias("newest"), parts.alias("parts")).collect(engine="streaming")
        return Judgement(
            str(reason),
            detail,
            rows_read=self.read,
            rows_good=self.read - sum(counts.values()),
            rows=self.good,
            bad=self.spool.rows(),
            counts=counts,
            partitions=tuple(seen["parts"].explode().drop_nulls()),
            newest=seen["newest"].item(),
            medians={} if refusal else history.measure(rows, self.spec),
        )
