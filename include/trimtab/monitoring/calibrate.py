"""What the settings mean for one model: how often its monitoring would cry for nothing.

Pure: the reference's own runs are windows in which nothing has changed. They are judged by the
code that judges real windows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from trimtab.config.monitor import Monitor
from trimtab.monitoring import budget, detect
from trimtab.monitoring.null import LEAST_RUNS
from trimtab.monitoring.unchanged import Column, Maker, Volume
from trimtab.watch import Finding, Observation

_START = datetime(2000, 1, 1, tzinfo=UTC)


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
    makers = [Maker(column, volume) for column in columns]
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
