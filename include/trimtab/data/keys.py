"""Rows of one file whose key is not alone in it."""

import polars as pl

from trimtab.config import DatasetSpec
from trimtab.data.reasons import RowReason
from trimtab.data.text import COLUMN, FINDINGS, REASON
from trimtab.types import ROW


def repeated(rows: pl.DataFrame, spec: DatasetSpec) -> pl.DataFrame:
    """Find rows of one file that share a key.

    Of equal rows the first is kept; of rows that contradict each other, none.
    """
    key = list(spec.key)
    shared = rows.filter(pl.struct(key).is_duplicated())
    if shared.is_empty():
        return pl.DataFrame(schema=FINDINGS)
    contents = pl.struct(*spec.columns).rank("dense").over(key)
    shared = shared.with_columns(contents.alias("_contents"))
    conflict = pl.col("_contents").n_unique().over(key) > 1
    later = pl.col(ROW) > pl.col(ROW).min().over(key)
    return _findings(shared.with_columns(_reason(conflict, later)), spec)


def _reason(conflict: pl.Expr, duplicate: pl.Expr) -> pl.Expr:
    return (
        pl.when(conflict)
        .then(pl.lit(str(RowReason.CONFLICTING_KEY)))
        .when(duplicate)
        .then(pl.lit(str(RowReason.DUPLICATE_KEY)))
        .alias(REASON)
    )


def _findings(rows: pl.DataFrame, spec: DatasetSpec) -> pl.DataFrame:
    named = rows.with_columns(pl.lit(",".join(spec.key)).alias(COLUMN))
    return named.filter(pl.col(REASON).is_not_null()).select(*FINDINGS)
