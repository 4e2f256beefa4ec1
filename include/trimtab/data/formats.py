"""Open a file in the format its contract names."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from trimtab.config import DatasetSpec
from trimtab.data import containers, csv_text, json_lines, parquet
from trimtab.data.pieces import Pieces
from trimtab.data.text import Table
from trimtab.types import ROW

_LONGEST = 64 << 20  # bytes of a line or a quoted record: more is no table


@contextmanager
def opened(path: Path, name: str, spec: DatasetSpec) -> Iterator[Table]:
    """Open the file at ``path``, called ``name``; its blocks are read as they are asked for.

    Raises:
        RefusedFileError: the file as a whole is no table of this contract; also while reading.
    """
    kind = spec.source.reading.format
    if kind == "parquet":
        with path.open("rb") as file:
            containers.check_magic(file.read(64), name, kind)
        yield parquet.read(path, spec)
        return
    longest = max(_LONGEST, 2 * spec.limits.max_cell)
    with containers.opened(path, name, spec) as stream:
        pieces = Pieces(stream, longest=longest)
        yield json_lines.read(pieces, spec) if kind == "jsonl" else csv_text.read(pieces, spec)


def again(
    file: Path, name: str, spec: DatasetSpec, findings: pl.DataFrame
) -> Iterator[pl.DataFrame]:
    """Read the rows that ``findings`` speak of once more, as they were written, block by block."""
    wanted = findings[ROW].implode()
    with opened(file, name, spec) as table:
        for text in table.blocks:
            rows = text.rows.filter(pl.col(ROW).is_in(wanted))
            if rows.height:
                rows = rows.cast(dict.fromkeys(table.columns, pl.String()))
                yield rows.join(findings, on=ROW, how="left", maintain_order="left")
