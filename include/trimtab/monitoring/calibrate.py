"""What the settings mean for one model: its false alarms, and the smallest change it would see.

Pure: the reference's own runs are windows in which nothing has changed. They are judged by the
code that judges real windows.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import sqrt
from statistics import NormalDist
from typing import Any

import numpy as np

from trimtab.config.monitor import Monitor
from trimtab.monitoring import budget, detect
from trimtab.monitoring.detect import Drift
from trimtab.monitoring.distance import psi_each
from trimtab.monitoring.null import LEAST_RUNS, Null, null
from trimtab.monitoring.profile import ColumnProfile
from trimtab.monitoring.runs import Blocks, Runs
from trimtab.types import GateVerdict
from trimtab.watch import Finding, Observation, Visible

POWER = 0.8  # chance of seeing the smallest change in one window
_START = datetime(2000, 1, 1, tzinfo=UTC)
_SHIFTS = 60  # windows that a change is planted in
_STEPS = 14  # of the bisection


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


@dataclass(frozen=True)
class Simulated:
    """How many windows without a change moved, and how many alarmed."""

    windows: int
    moved: int
    alarms: int
    level: float
    observations: list[Observation] = field(default_factory=list)


def simulate(
    columns: Sequence[Column],
    settings: Monitor,
    volume: Volume,
    *,
    windows: int = 1000,
    others: Sequence[Observation] = (),
    seed: int = 0,
) -> Simulated:
    """Judge windows without a change, one after the other as they stand in the reference.

    Args:
        columns: what is compared in each window.
        settings: of the model's monitor.
        volume: of a window.
        windows: how many.
        others: real windows, whose signals share the level too.
        seed: of the draws.
    """
    makers = [_Maker(column, volume) for column in columns]
    draw = np.random.default_rng(seed)
    pieces = min((maker.pieces for maker in makers), default=float(LEAST_RUNS))
    seen: list[Observation] = []
    for i, place in zip(range(windows), _places(pieces, draw), strict=False):
        findings = tuple(maker.finding(place, draw, settings) for maker in makers)
        seen.append(_judged(i, findings, settings, volume, seen[-budget.RECENT :], others))
    return Simulated(
        windows=windows,
        moved=sum(any(f.status == "moved" for f in each.findings) for each in seen),
        alarms=sum(bool(each.alarm) for each in seen),
        level=seen[-1].level or 0.0 if seen else 0.0,
        observations=seen,
    )


def visible(
    columns: Sequence[Column], settings: Monitor, volume: Volume, share: float, *, seed: int = 0
) -> list[Visible]:
    """Return the smallest shift of every column that a window would show.

    Args:
        columns: what is compared.
        settings: of the model's monitor.
        volume: of a window.
        share: of the level that each signal has.
        seed: of the draws.
    """
    draw = np.random.default_rng(seed)
    found = []
    for column in columns:
        if column.profile.constant or column.signal == "joint":
            continue
        level = share / sum(each.signal == column.signal for each in columns)
        maker = _Maker(column, volume)
        places = draw.random(_SHIFTS)
        drawn = np.stack([maker.counts(place, draw) for place in places]).astype(float)
        for what, change, most in _changes(column):
            seen = _seen(maker, drawn, change, level, settings)
            found.append(_told(column, what, _smallest(seen, most)))
    return found


def metric(gate: GateVerdict | None, settings: Monitor, rows: int, share: float) -> Visible | None:
    """Return the smallest loss of the primary metric that ``rows`` labelled rows would show.

    The gate's interval says how unsure the metric is on its own rows; a window's is wider by the
    square root of the rows.
    """
    if gate is None or not np.isfinite([*gate.interval, gate.value]).all() or not gate.rows:
        return None
    promised = (gate.interval[1] - gate.interval[0]) / 2 / 1.96
    error = promised * sqrt(1 + gate.rows / max(rows, 1))
    normal = NormalDist()
    least = max(settings.performance_drop, normal.inv_cdf(1 - share) * error)
    return Visible(
        signal="performance",
        what="metric",
        name=gate.primary,
        unit="of the metric",
        smallest=least + normal.inv_cdf(POWER) * error,
        note=f"{gate.value:.3g} at the gate, every row labelled",
    )


class _Maker:
    """Windows without a change, of one column."""

    def __init__(self, column: Column, volume: Volume) -> None:
        self.column, self.runs = column, column.runs
        self.pieces = max(self.runs.length(volume.rows, volume.span), LEAST_RUNS)
        self.first, self.last = self.runs.bounds(self.pieces)
        self.rows = volume.rows
        self.null: Null = null(column.blocks.of(column.name), volume.rows, volume.span)

    def counts(self, place: float, draw: Any) -> Any:
        """Return the counts of the run at that part of the way, thinned to the window's rows."""
        i = min(int(place * len(self.first)), len(self.first) - 1)
        run = self.runs.counts[self.first[i] : self.last[i]].sum(axis=0)
        if run.sum() <= self.rows:
            return run
        return draw.multivariate_hypergeometric(run, self.rows, method="marginals")

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


def _places(pieces: float, draw: Any) -> Iterator[float]:
    """Walk over the reference window by window, from another start each time."""
    while True:
        yield from np.arange(draw.random() / pieces, 1, 1 / pieces)


def _judged(
    i: int,
    findings: tuple[Finding, ...],
    settings: Monitor,
    volume: Volume,
    history: Sequence[Observation],
    others: Sequence[Observation],
) -> Observation:
    newest = None if volume.every is None else _START + i * volume.every
    seen = Observation(
        model="",
        version=1,
        sha256=str(i),
        partition=str(i),
        rows=volume.rows,
        since=newest - volume.every if newest and volume.every else None,
        newest=newest,
        findings=findings,
    )
    level = budget.level(settings, history, seen)
    judged = budget.judged(findings, settings, level, others)
    seen = seen.model_copy(update={"findings": judged, "level": level})
    return seen.model_copy(update={"alarm": detect.alarms(history, seen, settings)})


Change = Callable[[Any, float], Any]


def _changes(column: Column) -> Iterator[tuple[str, Change, float]]:
    """Ways a column may change, each with its largest size."""
    name, width = column.name, len(column.profile.counts) + 1
    if name in column.blocks.quantiles and column.blocks.deviations[name] > 0:
        yield "mean", _moved(column), 5.0
    if column.profile.kind == "categorical":
        largest = int(np.argmax(column.profile.counts[:-1]))
        yield "category", _towards(largest), 1.0
    if column.signal == "data":
        yield "missing", _towards(width - 1), 1.0


def _towards(place: int) -> Change:
    """A share of the rows, whatever they were, now falls into one bin."""

    def change(counts: Any, size: float) -> Any:
        after = counts * (1 - size)
        after[..., place] += counts.sum(axis=-1) * size
        return after

    return change


def _moved(column: Column) -> Change:
    """Every value is larger by so many standard deviations."""
    edges = np.asarray(column.profile.edges)
    values = np.asarray(column.blocks.quantiles[column.name])
    deviation = column.blocks.deviations[column.name]
    before, width = np.searchsorted(edges, values), len(edges) + 1

    def change(counts: Any, size: float) -> Any:
        after = np.searchsorted(edges, values + size * deviation)
        flow = np.zeros((width + 1, width + 1))
        np.add.at(flow, (before, after), 1)
        flow[flow.sum(axis=1) == 0] = np.eye(width + 1)[flow.sum(axis=1) == 0]
        return counts @ (flow / flow.sum(axis=1, keepdims=True))

    return change


def _seen(
    maker: _Maker, drawn: Any, change: Change, level: float, settings: Monitor
) -> Callable[[float], bool]:
    """Whether a change of that size is seen often enough."""
    total = maker.runs.counts.sum(axis=0)
    used = total > 0
    limit = settings.watch(maker.column.signal).limit or settings.drift

    def seen(size: float) -> bool:
        after = change(drawn, size)
        there = used | (after.sum(axis=0) > 0)
        apart = psi_each(total[there], after[:, there])
        large = apart >= limit + maker.null.mean
        sure = np.asarray([maker.null.p_value(float(each)) <= level for each in apart])
        return bool(np.mean(large & sure) >= POWER)

    return seen


def _smallest(seen: Callable[[float], bool], most: float) -> float | None:
    if not seen(most):
        return None
    low, high = 0.0, most
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if seen(middle) else (middle, high)
    return high


def _told(column: Column, what: Any, smallest: float | None) -> Visible:
    notes: Mapping[str, str] = {"mean": f"1 = {column.blocks.deviations.get(column.name, 0.0):.3g}"}
    if what == "category":
        largest = column.profile.categories[int(np.argmax(column.profile.counts[:-1]))]
        notes = {"category": f"more of {largest!r}"}
    return Visible(
        signal=column.signal,
        what=what,
        name=column.name,
        unit="standard deviations" if what == "mean" else "share of the rows",
        smallest=smallest,
        note=notes.get(what, ""),
    )
