"""What a column looked like, in a few dozen counts: bins are fixed once and measured ever after."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import numpy as np
import polars as pl

from trimtab.types import Record

BINS = 10
CATEGORIES = 20
OTHERS = 1000  # first values outside of the categories, of which examples are told
Kind = Literal["numeric", "categorical", "hour"]


class ColumnProfile(Record):
    """Counts of one column in fixed bins; rows without a value are in ``nulls`` only.

    Numeric bins are ``(-inf, edges[0]], (edges[0], edges[1]], ..., (edges[-1], inf)``, so what
    lies outside of the reference's range, infinities too, still falls into a bin. The last of the
    categorical counts is every value that is not in ``categories``.
    """

    kind: Kind
    rows: int
    nulls: int
    counts: tuple[int, ...]
    edges: tuple[float, ...] = ()
    categories: tuple[str, ...] = ()
    mean: float | None = None  # of the finite values
    low: float | None = None  # smallest and largest finite value
    high: float | None = None
    unlisted: tuple[str, ...] = ()  # examples of values outside of ``categories``

    @property
    def constant(self) -> bool:
        """Whether there is at most one value, so that no bins can be told apart."""
        return sum(count > 0 for count in self.counts) <= 1 and (
            self.kind == "categorical" or self.low == self.high
        )

    @property
    def null_share(self) -> float:
        """Share of the rows without a value."""
        return self.nulls / self.rows if self.rows else 0.0


class ReferenceProfile(Record):
    """The rows one model version was trained on and the predictions it made at its gate."""

    model: str
    version: int
    key: str
    rows: int
    columns: dict[str, ColumnProfile]
    prediction: ColumnProfile | None = None


def build(frame: pl.DataFrame, kinds: Mapping[str, Kind]) -> dict[str, ColumnProfile]:
    """Fix the bins of every column from these rows and count them."""
    present = {name: kind for name, kind in kinds.items() if name in frame.columns}
    bins = {name: _bins(_values(frame[name], kind), kind) for name, kind in present.items()}
    return measure(frame, bins)


def measure(
    frame: pl.DataFrame | pl.LazyFrame, reference: Mapping[str, ColumnProfile]
) -> dict[str, ColumnProfile]:
    """Count every column in the reference's bins, in one pass; unreadable ones are left out.

    A file that is only scanned is read in pieces: memory does not grow with its rows.
    """
    lazy = frame.lazy()
    schema = lazy.collect_schema()
    readable = {
        name: profile
        for name, profile in reference.items()
        if unreadable(profile.kind, schema.get(name)) is None
    }
    if not readable:
        return {}
    plain = lazy.select(_plain(name, b.kind, schema[name]) for name, b in readable.items())
    wanted = [pl.len().alias("rows")]
    for name, bins in readable.items():
        floats = schema[name].is_float()
        wanted += [e.alias(f"{name}\n{part}") for part, e in _sums(name, bins, floats=floats)]
    engine: Literal["streaming", "auto"] = "streaming" if frame is lazy else "auto"
    seen = plain.select(wanted).collect(engine=engine).row(0, named=True)
    odd = [n for n, b in readable.items() if b.kind == "numeric" and not _finite(seen, n)]
    if odd:  # an infinity, or NaN: the moments once more, without them
        again = plain.select(e for name in odd for e in _moments(name))
        seen |= again.collect(engine=engine).row(0, named=True)
    found = {name: _counted(name, profile, seen) for name, profile in readable.items()}
    return {name: _exemplified(plain, name, each) for name, each in found.items()}


def unreadable(kind: Kind, dtype: pl.DataType | None) -> str | None:
    """Say why a column of this type cannot be counted as ``kind``, or None when it can."""
    if dtype is None:
        return "the column is absent"
    fits = {
        "numeric": dtype.is_numeric() or dtype in (pl.Boolean, pl.Null),
        "hour": isinstance(dtype, pl.Datetime) or dtype == pl.Null,
        "categorical": not dtype.is_nested() and dtype != pl.Object,
    }
    return None if fits[kind] else f"{kind} in the reference, {dtype} now"


def as_counted(name: str, kind: Kind) -> pl.Expr:
    """The column as it is counted: NaN is no value, a category is text, a time is its hour."""
    column = pl.col(name)
    if kind == "categorical":
        return column.cast(pl.String)
    if kind == "hour":
        return column.cast(pl.Datetime).dt.hour().cast(pl.Float64)
    return column.cast(pl.Float64).fill_nan(None)


def _values(column: pl.Series, kind: Kind) -> pl.Series:
    return column.to_frame("x").select(as_counted("x", kind)).to_series().drop_nulls()


def _bins(values: pl.Series, kind: Kind) -> ColumnProfile:
    empty = ColumnProfile(kind=kind, rows=0, nulls=0, counts=())
    if kind == "categorical":
        top = values.value_counts().sort(["count", values.name], descending=[True, False])
        return empty.model_copy(update={"categories": tuple(top[values.name][:CATEGORIES])})
    finite = values.filter(values.is_finite()).to_numpy()
    return empty.model_copy(update={"edges": _edges(finite)})


def _edges(values: Any) -> tuple[float, ...]:
    """Inner quantile edges; a column of few values gets a bin for each of them."""
    if not len(values):
        return ()
    distinct = np.unique(values)
    if len(distinct) > BINS:
        shares = np.arange(1, BINS) / BINS
        distinct = np.append(
            np.unique(np.quantile(values, shares, method="inverted_cdf")), distinct[-1]
        )
    return tuple(float(edge) for edge in np.unique(distinct)[:-1])


def _plain(name: str, kind: Kind, dtype: pl.DataType) -> pl.Expr:
    """The column as cheaply as it can be compared: what is a number already stays what it is."""
    if kind == "numeric" and (dtype.is_integer() or dtype == pl.Float64):
        return pl.col(name)
    if kind == "numeric":
        return pl.col(name).cast(pl.Float64)
    return as_counted(name, kind)


def _sums(name: str, profile: ColumnProfile, *, floats: bool) -> Iterator[tuple[str, pl.Expr]]:
    """Comparisons and sums only: they vectorise, sorting and hashing do not."""
    value = pl.col(name)
    yield "nulls", value.null_count() + value.is_nan().sum() if floats else value.null_count()
    if profile.kind == "categorical":
        for i, category in enumerate(profile.categories):
            yield f"is{i}", (value == category).sum()
        return
    for i, edge in enumerate(profile.edges):
        yield f"upto{i}", (value <= edge).sum()
    yield from (("mean", value.mean()), ("low", value.min()), ("high", value.max()))


def _moments(name: str) -> Iterator[pl.Expr]:
    finite = pl.col(name).filter(pl.col(name).is_finite())
    for part, moment in (("mean", finite.mean()), ("low", finite.min()), ("high", finite.max())):
        yield moment.alias(f"{name}\n{part}")


def _finite(seen: Mapping[str, Any], name: str) -> bool:
    found = [seen[f"{name}\n{part}"] for part in ("mean", "low", "high")]
    return all(value is None or math.isfinite(value) for value in found)


def _counted(name: str, bins: ColumnProfile, seen: Mapping[str, Any]) -> ColumnProfile:
    rows, nulls = seen["rows"], seen[f"{name}\nnulls"]
    found: dict[str, Any]
    if bins.kind == "categorical":
        listed = [seen[f"{name}\nis{i}"] for i in range(len(bins.categories))]
        found = {"counts": (*listed, rows - nulls - sum(listed))}
    else:
        upto = [seen[f"{name}\nupto{i}"] for i in range(len(bins.edges))]
        found = {"counts": tuple(np.diff([0, *upto, rows - nulls]).tolist())}
        found |= {part: seen[f"{name}\n{part}"] for part in ("mean", "low", "high")}
    return bins.model_copy(update={"rows": rows, "nulls": nulls, **found})


def _exemplified(plain: pl.LazyFrame, name: str, found: ColumnProfile) -> ColumnProfile:
    """Tell the most frequent of the first other values; the rows are read no further than them."""
    if found.kind != "categorical" or not found.counts[-1]:
        return found.model_copy(update={"unlisted": ()})
    unlisted = plain.select(name).filter(~pl.col(name).is_in(list(found.categories)))
    others = Counter(unlisted.head(OTHERS).collect(engine="streaming")[name].to_list())
    examples = sorted(others, key=lambda value: (-others[value], value))[:3]
    return found.model_copy(update={"unlisted": tuple(examples)})
