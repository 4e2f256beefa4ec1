"""Bad rows of a file, written aside as they are found."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from trimtab.data.reasons import RowReason
from trimtab.data.text import COLUMN, LINE, REASON
from trimtab.types import ROW


class Spool:
    """Collects bad rows as text in parts of one folder, and counts them."""

    def __init__(self, folder: Path, columns: Sequence[str]) -> None:
        self._folder = folder
        self._schema = dict.fromkeys(columns, pl.String()) | {
            ROW: pl.Int64(),
            LINE: pl.String(),
            REASON: pl.String(),
            COLUMN: pl.String(),
        }
        self._parts: list[Path] = []
        self.counts: Counter[tuple[str, str | None]] = Counter()

    def add(self, bad: pl.DataFrame) -> None:
        """Add rows with ``_reason`` and ``_column``, or with ``_line`` (those fit no header)."""
        if bad.is_empty():
            return
        if LINE in bad.columns:
            why = pl.lit(str(RowReason.RAGGED_ROW)).alias(REASON)
            bad = bad.with_columns(why, pl.lit(None, pl.String).alias(COLUMN))
        absent = [pl.lit(None, pl.String).alias(n) for n in self._schema if n not in bad.columns]
        whole = bad.with_columns(absent).select(
            pl.col(name).cast(kind) for name, kind in self._schema.items()
        )
        for reason, column, count in whole.group_by(REASON, COLUMN).len().iter_rows():
            self.counts[reason, column] += count
        part = self._folder / f"bad-{len(self._parts)}.parquet"
        whole.write_parquet(part)
        self._parts.append(part)

    def rows(self) -> pl.LazyFrame:
        """All of them, in the file's order."""
        if not self._parts:
            return pl.LazyFrame(schema=self._schema)
        return pl.scan_parquet(self._parts).sort(ROW)
