"""A file's rows as text: every cell as it was written, every row with its position."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl

from trimtab.config import DatasetSpec
from trimtab.data.reasons import FileReason, RefusedFileError
from trimtab.types import ROW

LINE = "_line"  # the whole record, where it does not fit the header
REASON, COLUMN = "_reason", "_column"
FINDINGS = {ROW: pl.Int64, REASON: pl.String, COLUMN: pl.String}


@dataclass(frozen=True)
class Text:
    """Some rows of a file as text, and the records that do not fit its header.

    ``findings`` names rows of ``rows`` that are bad whatever the contract says.
    """

    rows: pl.DataFrame  # the file's columns as text (Parquet: maybe typed) and _row
    ragged: pl.DataFrame = field(default_factory=lambda: ragged([]))  # _row and _line
    findings: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=FINDINGS))

    @property
    def count(self) -> int:
        """Rows read, good or not."""
        return self.rows.height + self.ragged.height


@dataclass(frozen=True)
class Table:
    """An opened file: ``columns`` are the contract's and, if it lets columns be added, others."""

    columns: tuple[str, ...]
    blocks: Iterator[Text]


def ragged(rows: Sequence[tuple[int, str]]) -> pl.DataFrame:
    """Records that do not fit, with their position and their text."""
    return pl.DataFrame(rows, schema={ROW: pl.Int64, LINE: pl.String}, orient="row")


def columns(header: Sequence[str], spec: DatasetSpec) -> tuple[str, ...]:
    """Return the columns to read: the contract's, then those it lets a file add.

    Raises:
        RefusedFileError: columns are missing, unexpected or there twice, or there are too many.
    """
    if len(header) > spec.limits.max_columns:
        detail = f"{len(header)} columns; limits.max_columns is {spec.limits.max_columns}"
        raise RefusedFileError(FileReason.TOO_MANY_COLUMNS, detail)
    expected = list(spec.columns)
    missing = [name for name in expected if name not in header]
    more = [name for name in header if name not in spec.columns]
    ours = [name for name in more if not name.strip() or name.startswith("_")]
    problems = {
        FileReason.HEADER_MISMATCH: missing if len(missing) == len(expected) else [],
        FileReason.DUPLICATE_HEADER: [n for n, times in Counter(header).items() if times > 1],
        FileReason.MISSING_COLUMN: missing,
        FileReason.UNEXPECTED_COLUMN: ours if spec.evolve == "add_columns" else more,
    }
    found = {reason: names for reason, names in problems.items() if names}
    if found:
        detail = "; ".join(f"{reason}: {', '.join(names)}" for reason, names in found.items())
        raise RefusedFileError(next(iter(found)), _shortened(detail))
    return (*expected, *more)


def _shortened(detail: str, limit: int = 2_000) -> str:
    return detail if len(detail) <= limit else detail[:limit] + " ..."
