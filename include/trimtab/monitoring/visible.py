"""The smallest change that the settings would show: planted in windows without one. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import sqrt
from statistics import NormalDist
from typing import Any

import numpy as np

from trimtab.config.monitor import Monitor
from trimtab.monitoring.distance import psi_each
from trimtab.monitoring.unchanged import Column, Maker, Volume
from trimtab.types import GateVerdict
from trimtab.watch import Signal, Visible

POWER = 0.8  # chance of seeing the smallest change in one window
_SHIFTS = 60  # windows that a change is planted in
_STEPS = 14  # of the bisection
Change = Callable[[Any, float], Any]


def smallest(
    columns: Sequence[Column],
    settings: Monitor,
    volume: Volume,
    shares: Mapping[Signal, float],
    *,
    seed: int = 0,
) -> list[Visible]:
    """Return the smallest shift of every column that a window would show.

    Args:
        columns: what is compared.
        settings: of the model's monitor.
        volume: of a window.
        shares: of the level, that each signal has.
        seed: of the draws.
    """
    draw = np.random.default_rng(seed)
    found = []
    for column in columns:
        if column.profile.constant or column.signal == "joint":
            continue
        level = shares[column.signal] / sum(each.signal == column.signal for each in columns)
        maker = Maker(column, volume)
        places = draw.random(_SHIFTS)
        drawn = np.stack([maker.counts(place, draw) for place in places]).astype(float)
        for what, change, most in _changes(column):
            seen = _seen(maker, drawn, change, level, settings)
            found.append(_told(column, what, _bisected(seen, most)))
    return found


def loss(gate: GateVerdict | None, settings: Monitor, rows: int, share: float) -> Visible | None:
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
    maker: Maker, drawn: Any, change: Change, level: float, settings: Monitor
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


def _bisected(seen: Callable[[float], bool], most: float) -> float | None:
    if not seen(most):
        return None
    low, high = 0.0, most
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if seen(middle) else (middle, high)
    return high


def _told(column: Column, what: Any, smallest: float | None) -> Visible:
    by_share = what != "mean"
    return Visible(
        signal=column.signal,
        what=what,
        name=column.name,
        unit="share of the rows" if by_share else "standard deviations",
        smallest=smallest,
        note=_share(column, what, smallest) if by_share else _mean(column, smallest),
    )


def _mean(column: Column, smallest: float | None) -> str:
    mean, deviation = column.profile.mean, column.blocks.deviations[column.name]
    if mean is None or smallest is None:
        return ""
    return f"a mean of {mean:.3g} → {mean + smallest * deviation:.3g}"


def _share(column: Column, what: str, smallest: float | None) -> str:
    before, of = column.profile, "missing"
    share = before.null_share
    if what == "category":
        place = int(np.argmax(before.counts[:-1]))
        of, share = repr(before.categories[place]), before.counts[place] / max(before.rows, 1)
    if smallest is None:
        return of
    return f"{of} {share:.1%} → {share + (1 - share) * smallest:.1%}"
