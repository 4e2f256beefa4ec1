"""Which rows go to quarantine, found by one filter: each with the first check it broke."""

from collections.abc import Mapping, Sequence
from typing import Any

import narwhals as nw
import polars as pl

from trimtab.types import ROW

CHECK = "_check"
SCHEMA = pl.Schema({ROW: pl.Int64, CHECK: pl.Int32})


def nothing() -> pl.DataFrame:
    """No rows."""
    return pl.DataFrame(schema=SCHEMA)


def rows(frame: nw.LazyFrame[Any], bad: Mapping[int, nw.Expr]) -> pl.DataFrame:
    """Return ``_row`` and ``_check`` (a key of ``bad``) of the rows that break a check."""
    marks = {f"_bad_{i}": condition for i, condition in bad.items()}
    marked = frame.with_columns(**marks)
    first = nw.coalesce(*(nw.when(nw.col(f"_bad_{i}")).then(nw.lit(i)) for i in sorted(bad)))
    found = marked.select(ROW, first.alias(CHECK)).filter(~nw.col(CHECK).is_null())
    native: pl.LazyFrame = found.to_native()
    return native.cast(SCHEMA).collect(engine="streaming")


def positions(location: str, where: Sequence[int], check: int) -> pl.DataFrame:
    """Return the rows at some positions of a file."""
    wanted = pl.LazyFrame({"_position": where}, schema={"_position": pl.UInt32})
    found = pl.scan_parquet(location).select(ROW).with_row_index("_position")
    here = found.join(wanted, on="_position", how="semi").select(ROW, pl.lit(check).alias(CHECK))
    return here.cast(SCHEMA).collect(engine="streaming")


def first(found: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Keep of every row the check that comes first in the contract."""
    if not found:
        return nothing()
    return pl.concat(found).group_by(ROW).agg(pl.col(CHECK).min()).sort(ROW)


def without(location: str, gone: pl.DataFrame) -> pl.LazyFrame:
    """Scan a file without some rows, in its order."""
    scan = pl.scan_parquet(location)
    return scan.join(gone.lazy().select(ROW), on=ROW, how="anti", maintain_order="left")
