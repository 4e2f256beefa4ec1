"""Which rows of a model's dataset a training may learn from and be judged on."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import polars as pl

from trimtab.features.sources import Source
from trimtab.types import FILE


@dataclass(frozen=True)
class Scope:
    """All rows but those of files that are called broken, and those before a change of concept."""

    files: tuple[str, ...] = ()  # hashes of files that are left out
    since: datetime | None = None
    recalibrates: int | None = None  # the rows are for another calibration of this version

    def identity(self) -> list[Any]:
        """What it adds to the identity of the rows; nothing when it leaves nothing out."""
        since = self.since.isoformat() if self.since else None
        kept = [{"left_out": list(self.files), "since": since}] if self.files or since else []
        return [*kept, *([{"recalibrates": self.recalibrates}] if self.recalibrates else [])]

    def narrowed(self, source: Source, time: str | None) -> Source:
        """Return the source with these rows only; its newest moment is theirs."""
        if not self.files and not self.since:
            return source
        table = source.table
        if self.files:
            table = table.filter(~pl.col(FILE).is_in(self.files))
        if self.since and time:
            table = table.filter(pl.col(time) >= self.since)
        newest = pl.col(time).max() if time else pl.lit(None)
        rows, moment = table.select(pl.len().alias("rows"), newest.alias("newest")).collect().row(0)
        return replace(source, table=table, rows=rows, newest=moment)
