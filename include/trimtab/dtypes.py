"""The contract's column types as Polars keeps them."""

import polars as pl

from trimtab.config.dataset import ColumnType

TYPES: dict[ColumnType, pl.DataType] = {
    "int": pl.Int64(),
    "float": pl.Float64(),
    "bool": pl.Boolean(),
    "text": pl.String(),
    "category": pl.String(),
    "time": pl.Datetime("us", "UTC"),
}
