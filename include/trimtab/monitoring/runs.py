"""The reference in its own order, as counts of neighbouring rows: season and memory are kept."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from trimtab.monitoring.profile import ColumnProfile, as_counted, unreadable
from trimtab.types import Record

BLOCKS = 500  # at most
LEAST_ROWS = 20  # of a block
SHARES = (np.arange(200) + 0.5) / 200  # of the quantiles


class Blocks(Record):
    """Rows and counts of each block; the counts are of the profile's bins, the nulls last.

    ``starts`` is the time of every block's first row in seconds, and after the last one that of
    the newest row; it is empty where rows have no time. Of numbers there are also evenly spaced
    ``quantiles`` and the standard deviation, for what a shift would look like.
    """

    rows: tuple[int, ...]
    starts: tuple[float, ...] = ()
    counts: dict[str, tuple[tuple[int, ...], ...]]
    quantiles: dict[str, tuple[float, ...]] = {}
    deviations: dict[str, float] = {}

    def of(self, column: str) -> "Runs":
        """Return the blocks of one column, ready to be resampled."""
        counts = np.asarray(self.counts[column], dtype=np.int64)
        return Runs(counts, np.asarray(self.starts) if self.starts else None)


class Runs:
    """Contiguous runs of the blocks of one column, without bins that are never used."""

    def __init__(self, counts: Any, starts: Any | None = None, *, every: bool = False) -> None:
        self.counts, self.starts = counts[:, every | (counts.sum(axis=0) > 0)], starts
        self.total = self.counts.sum(axis=0)
        self.rows = int(self.total.sum())
        self._upto = np.vstack([np.zeros_like(self.counts[:1]), self.counts.cumsum(axis=0)])

    def length(self, rows: int, span: float | None) -> float:
        """Return how many windows of these rows (or seconds) follow each other in the reference."""
        if self.starts is not None and span is not None:
            whole = self.starts[-1] - self.starts[0]
            return float(whole / max(span, whole / len(self.counts)))
        return self.rows / max(rows, self.rows / len(self.counts))

    def cut(self, pieces: float, most: int = 200) -> Any:
        """Return the counts of overlapping runs, each ``1 / pieces`` of the reference."""
        first, last = self.bounds(pieces)
        pick = np.unique(np.linspace(0, len(first) - 1, min(len(first), most)).astype(int))
        return self._upto[last[pick]] - self._upto[first[pick]]

    def bounds(self, pieces: float) -> tuple[Any, Any]:
        """Return first block, and the one after the last, of every run of that length."""
        blocks = len(self.counts)
        place = np.arange(blocks + 1.0) if self.starts is None else self.starts
        long = (place[-1] - place[0]) / pieces
        first = np.arange(blocks)
        last = np.searchsorted(place, place[:-1] + long * (1 - 1e-9))
        last = np.maximum(last, first + 1)
        fits = place[:-1] + long <= place[-1] * (1 + 1e-12) + 1e-6
        if not fits.any():
            return np.zeros(1, dtype=int), np.full(1, blocks)
        return first[fits], np.minimum(last[fits], blocks)


def cut(frame: pl.DataFrame, profiles: Mapping[str, ColumnProfile], time: str | None) -> Blocks:
    """Cut rows into blocks of equal size, in the order of time where there is one."""
    ordered = frame.sort(time, maintain_order=True, nulls_last=False) if time else frame
    count = max(min(BLOCKS, ordered.height // LEAST_ROWS), 1)
    block = np.arange(ordered.height) * count // max(ordered.height, 1)
    schema = ordered.schema
    counts = {
        name: _counted(codes(ordered[name], profile), block, count, profile)
        for name, profile in profiles.items()
        if unreadable(profile.kind, schema.get(name)) is None
    }
    rows = np.bincount(block, minlength=count)
    finite = {
        name: values
        for name in counts
        if profiles[name].kind == "numeric" and len(values := _finite(ordered[name]))
    }
    return Blocks(
        rows=tuple(rows.tolist()),
        starts=_starts(ordered[time], rows) if time else (),
        counts=counts,
        quantiles={
            name: tuple(np.quantile(values, SHARES, method="inverted_cdf").tolist())
            for name, values in finite.items()
        },
        deviations={name: float(values.std()) for name, values in finite.items()},
    )


def codes(column: pl.Series, profile: ColumnProfile) -> Any:
    """Return the bin of every row; the one after the last is that of rows without a value."""
    values = column.to_frame("x").select(as_counted("x", profile.kind)).to_series()
    missing = values.is_null().to_numpy()
    if profile.kind == "categorical":
        place = {name: i for i, name in enumerate(profile.categories)}
        found = values.replace_strict(place, default=len(place), return_dtype=pl.Int32)
        return np.where(missing, len(place) + 1, found.fill_null(len(place)).to_numpy())
    number = np.searchsorted(np.asarray(profile.edges), values.fill_null(0.0).to_numpy())
    return np.where(missing, len(profile.edges) + 1, number)


def _counted(
    bins: Any, block: Any, count: int, profile: ColumnProfile
) -> tuple[tuple[int, ...], ...]:
    width = len(profile.counts) + 1
    table = np.bincount(block * width + bins, minlength=count * width).reshape(count, width)
    return tuple(map(tuple, table.tolist()))


def _finite(column: pl.Series) -> Any:
    values = column.to_frame("x").select(as_counted("x", "numeric")).to_series().drop_nulls()
    return values.filter(values.is_finite()).to_numpy()


def _starts(times: pl.Series, rows: Any) -> tuple[float, ...]:
    """Seconds of every block's first row and of the last row; () where no row has a time."""
    if not times.count():
        return ()
    seconds = times.cast(pl.Datetime("us")).dt.epoch("us").cast(pl.Float64) / 1e6
    known = seconds.fill_null(strategy="backward").to_numpy()
    first = np.concatenate([[0], rows.cumsum()[:-1]])
    return (*known[first].tolist(), float(known[-1]))
