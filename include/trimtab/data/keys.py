"""Rows whose key is not alone: in the file itself, or in what is published already."""

import polars as pl

from trimtab.config import DatasetSpec
from trimtab.data.reasons import RowReason
from trimtab.data.text import COLUMN, FINDINGS, REASON
from trimtab.types import FILE, PARTITION, ROW


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


def published(
    rows: pl.DataFrame, spec: DatasetSpec, table: pl.LazyFrame, sha256: str
) -> pl.DataFrame:
    """Find rows whose key another file has published; the file's own rows do not count.

    When the event time is part of the key, only the partitions the rows are in can hold it.
    """
    key, columns = list(spec.key), list(spec.columns)
    others = table.filter(pl.col(FILE) != sha256)
    if spec.partition != "file" and spec.time in spec.key:
        others = others.filter(pl.col(PARTITION).is_in(rows[PARTITION].unique().to_list()))
    there = others.join(
        rows.lazy().select(key).unique(), on=key, how="semi", nulls_equal=True
    ).select(columns)
    found = there.collect()
    if found.is_empty():
        return pl.DataFrame(schema=FINDINGS)
    clash = rows.join(found, on=key, how="semi", nulls_equal=True)
    same = clash.join(found, on=columns, how="semi", nulls_equal=True)[ROW].to_list()
    conflict, equal = ~pl.col(ROW).is_in(same), pl.col(ROW).is_in(same)
    return _findings(clash.with_columns(_reason(conflict, equal)), spec)


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
