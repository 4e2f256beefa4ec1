"""Windows in which nothing has changed, made of the reference's own runs. Pure."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from trimtab.config.monitor import Monitor
from trimtab.monitoring import detect
from trimtab.monitoring.detect import Drift
from trimtab.monitoring.distance import psi_each
from trimtab.monitoring.null import LEAST_RUNS, Null, null
from trimtab.monitoring.profile import ColumnProfile
from trimtab.monitoring.runs import Blocks, Runs
from trimtab.watch import Finding


@dataclass(frozen=True)
class Volume:
    """How large windows are and how often they come."""

    rows: int
    span: float | None = None  # seconds
    every: timedelta | None = None


@dataclass(frozen=True)
class Column:
    """One column of the reference with what it takes to make windows of it."""

    signal: Drift
    name: str
    profile: ColumnProfile
    blocks: Blocks

    @property
    def runs(self) -> Runs:
        """Its blocks, all bins of them."""
        starts = np.asarray(self.blocks.starts) if self.blocks.starts else None
        return Runs(np.asarray(self.blocks.counts[self.name], dtype=np.int64), starts, every=True)


class Maker:
    """Windows without a change, of one column."""

    def __init__(self, column: Column, volume: Volume) -> None:
        self.column, self.runs = column, column.runs
        self.pieces = max(self.runs.length(volume.rows, volume.span), LEAST_RUNS)
        self.first, self.last = self.runs.bounds(self.pieces)
        self.rows = volume.rows
        self.null: Null = null(column.blocks.of(column.name), volume.rows, volume.span)
        seen = self.runs.cut(self.pieces)
        apart = float(psi_each(self.runs.total - seen, seen).mean())
        self._keep = float(min(self.null.excess / apart, 1.0) ** 0.5) if apart > 0 else 0.0

    def counts(self, place: float, draw: Any) -> Any:
        """Return the counts of the run at that part of the way, of the window's rows.

        A run of more rows is thinned. Of one with fewer the shares are taken, drawn towards those
        of the whole as far as they differ by the run's own sampling only.
        """
        i = min(int(place * len(self.first)), len(self.first) - 1)
        run = self.runs.counts[self.first[i] : self.last[i]].sum(axis=0)
        if run.sum() >= self.rows:
            return draw.multivariate_hypergeometric(run, self.rows, method="marginals")
        whole = self.runs.total / self.runs.total.sum()
        shares = whole + self._keep * (run / max(run.sum(), 1) - whole)
        return draw.multinomial(self.rows, shares / shares.sum())

    def finding(self, place: float, draw: Any, settings: Monitor) -> Finding:
        """Compare a window with the reference."""
        counts = self.counts(place, draw)
        before = self.column.profile
        after = before.model_copy(
            update={
                "rows": int(counts.sum()),
                "nulls": int(counts[-1]),
                "counts": tuple(counts[:-1].tolist()),
            }
        )
        compared = detect.compare_column(
            self.column.name,
            before,
            after,
            settings,
            signal=self.column.signal,
            expected=self.null,
        )
        return compared.finding
