"""The reference in its own order, as counts of neighbouring rows: season and memory are kept."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from trimtab.monitoring.profile import ColumnProfile, as_counted, unreadable
from trimtab.types import Record

BLOCKS = 500  # at most
LEAST_ROWS = 20  # of a block


class Blocks(Record):
    """Rows and counts of each block; the counts are of the profile's bins, the nulls last.

    ``starts`` is the time of every block's first row in seconds, and after the last one that of
    the newest row; it is empty where rows have no time.
    """

    rows: tuple[int, ...]
    starts: tuple[float, ...] = ()
    counts: dict[str, tuple[tuple[int, ...], ...]]

    def of(self, column: str) -> "Runs":
        """Return the blocks of one column, ready to be resampled."""
        counts = np.asarray(self.counts[column], dtype=np.int64)
        return Runs(counts, np.asarray(self.starts) if self.starts else None)


class Runs:
    """Contiguous runs of the blocks of one column; bins that are never used are left out."""

    def __init__(self, counts: Any, starts: Any | None = None) -> None:
        self.counts, self.starts = counts[:, counts.sum(axis=0) > 0], starts
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
    return Blocks(
        rows=tuple(rows.tolist()),
        starts=_starts(ordered[time], rows) if time else (),
        counts=counts,
    )


def codes(column: pl.Series, profile: ColumnProfile) -> Any:
    """Return the bin of every row; the one after the last is that of rows without a value."""
    values = column.to_frame("x").select(as_counted("x", profile.kind)).to_series()
    missing = values.is_null().to_numpy()
    if profile.kind == "categorical":
        place = {name: i for i, name in enumerate(profile.categories)}
        found = values.replace_strict(place, default=len(place), return_dtype=pl.Int32)
        bins, found = len(place) + 1, found.fill_null(len(place)).to_numpy()
    else:
        found = np.searchsorted(np.asarray(profile.edges), values.fill_null(0.0).to_numpy())
        bins = len(profile.edges) + 1
    return np.where(missing, bins, found)


def _counted(
    bins: Any, block: Any, count: int, profile: ColumnProfile
) -> tuple[tuple[int, ...], ...]:
    width = len(profile.counts) + 1
    table = np.bincount(block * width + bins, minlength=count * width).reshape(count, width)
    return tuple(map(tuple, table.tolist()))


def _starts(times: pl.Series, rows: Any) -> tuple[float, ...]:
    """Seconds of every block's first row and of the last row; () where no row has a time."""
    if not times.count():
        return ()
    seconds = times.cast(pl.Datetime("us")).dt.epoch("us").cast(pl.Float64) / 1e6
    known = seconds.fill_null(strategy="backward").to_numpy()
    first = np.concatenate([[0], rows.cumsum()[:-1]])
    return (*known[first].tolist(), float(known[-1]))
