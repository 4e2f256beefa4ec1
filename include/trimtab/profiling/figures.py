"""The numbers behind the pictures, on a stated sample where all rows would be too many."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from trimtab.profiling.columns import Column
from trimtab.profiling.profile import Profile

SAMPLE = 100_000  # rows that are drawn of a larger file, evenly spread over it
BINS, MOST_LEVELS, MOST_CORRELATED = 24, 12, 14


def sample(rows: pl.DataFrame) -> pl.DataFrame:
    """Return every n-th row, so that about ``SAMPLE`` are left."""
    return rows.gather_every(-(-rows.height // SAMPLE)) if rows.height > SAMPLE else rows


def counts(column: Column, values: pl.Series, *, bins: int = BINS) -> list[tuple[str, int]]:
    """Return the bars of a column: equal ranges of a number, the most frequent values else."""
    there = values.drop_nulls()
    if there.is_empty():
        return []
    if column.numeric:
        return _ranges(there.cast(pl.Float64).to_numpy(), column, bins)
    if isinstance(there.dtype, pl.Datetime):
        moments = there.cast(pl.Int64).to_numpy().astype(float)
        made, edges = np.histogram(moments, bins=bins)
        days = [str(np.datetime64(int(edge), "us"))[:10] for edge in edges[:-1]]
        return list(zip(days, map(int, made), strict=True))
    shown = [(text, n) for text, n in column.top[:MOST_LEVELS]]
    rest = column.rows - column.missing - column.odd_count - sum(n for _, n in shown)
    return [*shown, *([("all others", rest)] if rest > 0 else [])]


def _ranges(numbers: np.ndarray, column: Column, bins: int) -> list[tuple[str, int]]:
    if column.type == "int" and column.distinct <= bins:
        found, made = np.unique(numbers, return_counts=True)
        return [(f"{value:g}", int(n)) for value, n in zip(found, made, strict=True)]
    low, high = np.quantile(numbers, [0.001, 0.999])  # one outlier must not flatten the rest
    inside = numbers[(numbers >= low) & (numbers <= high)]
    made, edges = np.histogram(inside, bins=bins)
    return [(f"{edge:,.4g}", int(n)) for edge, n in zip(edges[:-1], made, strict=True)]


def spread(column: Column, values: pl.Series) -> str:
    """What a column reaches from and to, or its most frequent values."""
    there = values.drop_nulls()
    if there.is_empty():
        return "no value"
    if column.numeric:
        low, middle, high = (float(str(v)) for v in (there.min(), there.median(), there.max()))
        return f"{low:,.6g} to {high:,.6g}, half below {middle:,.4g}"
    if isinstance(there.dtype, pl.Datetime):
        return f"{str(there.min())[:16]} to {str(there.max())[:16]}"
    if column.type == "text":
        return f"e.g. {column.top[0][0][:40]}" if column.top else ""
    return ", ".join(f"{text[:24]} {n / column.rows:.0%}" for text, n in column.top[:3])


def outliers(column: Column, values: pl.Series) -> int:
    """Values further than three interquartile ranges from the middle half."""
    if not column.numeric or values.null_count() == len(values):
        return 0
    low, high = (float(values.quantile(share) or 0) for share in (0.25, 0.75))
    width = high - low
    return int(((values < low - 3 * width) | (values > high + 3 * width)).sum()) if width else 0


def correlations(rows: pl.DataFrame, profile: Profile) -> tuple[list[str], list[list[float]]]:
    """Return rank correlations of the numbers that tell most, the target first."""
    told = {found.column: found.score for found in profile.ranked}
    numbers = [c.name for c in profile.columns if c.numeric and not c.constant]
    target = profile.target.column.name
    names = sorted(numbers, key=lambda name: (name != target, -told.get(name, 0.0)))
    names = names[:MOST_CORRELATED]
    if len(names) < 2:
        return [], []
    ranks = rows.select(pl.col(names).cast(pl.Float64).rank())
    return names, [[_correlation(ranks, a, b) for b in names] for a in names]


def _correlation(ranks: pl.DataFrame, a: str, b: str) -> float:
    value = ranks.select(pl.corr(a, b)).item()
    return float(value) if value is not None and np.isfinite(value) else 0.0


def gaps(
    rows: pl.DataFrame, columns: Sequence[Column]
) -> tuple[list[str], list[tuple[frozenset[str], int, float]]]:
    """Return the columns with gaps, and the most frequent sets of them that are empty together."""
    names = [c.name for c in sorted(columns, key=lambda c: -c.missing) if c.missing][:20]
    if not names:
        return [], []
    found = rows.select(pl.col(names).is_null()).group_by(names).len("_rows")
    found = found.sort("_rows", *names, descending=True).head(8)
    patterns = [
        (frozenset(n for n in names if line[n]), int(line["_rows"]), line["_rows"] / rows.height)
        for line in found.iter_rows(named=True)
    ]
    return names, patterns
