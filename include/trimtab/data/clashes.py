"""Rows of a file whose key the table holds already."""

import polars as pl

from trimtab.adapters.delta_files import PATH
from trimtab.data.content import HASH, row_hash
from trimtab.data.reasons import RowReason
from trimtab.data.table import names
from trimtab.data.text import COLUMN, FINDINGS, REASON
from trimtab.types import FILE, ROW


def find(new: pl.LazyFrame, there: pl.LazyFrame, key: list[str]) -> pl.DataFrame:
    """Return the rows of the table whose key ``new`` has: key, content, file, where they lie.

    Both sides are streamed; only the keys of ``new`` and what is found are held in memory. The
    other columns are read of those files of the table only that share a key with ``new``.
    """
    keys = new.select(key)
    shared = there.select(*key, PATH).join(keys, on=key, how="semi", nulls_equal=True)
    paths = shared.select(pl.col(PATH).unique()).collect(engine="streaming")[PATH]
    told = there.filter(pl.col(PATH).is_in(paths.to_list())).select(
        *key, row_hash(names(there)), FILE, PATH
    )
    found = told.join(keys, on=key, how="semi", nulls_equal=True)
    return found.collect(engine="streaming")


def judged(new: pl.LazyFrame, clash: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Return the rows of ``new`` that clash: key, ``_row`` and whether they say the same."""
    if clash.is_empty():
        schema = new.select(*key, ROW).collect_schema()
        return pl.DataFrame(schema={**schema, "same": pl.Boolean})
    mine = new.select(*key, ROW, row_hash(names(new)))
    first = clash.lazy().select(*key, pl.col(HASH).alias("_theirs")).unique(key, keep="any")
    met = mine.join(first, on=key, how="inner", nulls_equal=True)
    same = (pl.col(HASH) == pl.col("_theirs")).alias("same")
    return met.select(*key, ROW, same).collect(engine="streaming")


def findings(rows: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Tell why rows that `judged` found are set aside."""
    reason = (
        pl.when("same")
        .then(pl.lit(str(RowReason.DUPLICATE_KEY)))
        .otherwise(pl.lit(str(RowReason.CONFLICTING_KEY)))
    )
    told = rows.with_columns(reason.alias(REASON), pl.lit(",".join(key)).alias(COLUMN))
    return told.select(*FINDINGS).sort(ROW)
