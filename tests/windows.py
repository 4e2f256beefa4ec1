"""Streams of windows with or without a change, whose truth is known: ten columns and an answer.

A stream is cut into steps (eight a day). What changes from step to step without a change (weather,
campaigns, weekdays) is a latent level; columns follow it more or less. Counts in the bins are drawn
from their exact shares at each step, so that windows of 50,000 rows cost no more than of 100; the
same world can also be drawn row by row.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import numpy as np
import polars as pl
from scipy.stats import norm

from trimtab.config.monitor import Monitor
from trimtab.monitoring import budget, detect
from trimtab.monitoring.detect import Drift
from trimtab.monitoring.null import Null, null
from trimtab.monitoring.profile import ColumnProfile
from trimtab.monitoring.runs import Runs
from trimtab.watch import Finding, Observation

STEPS = 8  # of a day
DAY = 86_400.0
START = datetime(2026, 1, 1, tzinfo=UTC)
Kind = Literal["independent", "autocorrelated", "seasonal"]
Shift = Literal["mean", "variance", "category", "missing"]
NUMBERS = [f"x{i}" for i in range(7)]
CATEGORIES = ["few", "many"]
PARTS = {"few": 4, "many": 20}
LOAD = {"x0": 0.6, "x1": 0.4, "x2": 0.3, "x3": 0.2, "x4": 0.1, "few": 0.3, "many": 0.2}


@dataclass(frozen=True)
class Change:
    """One planted change and the column that has it."""

    what: Shift
    column: str
    size: float


@dataclass
class World:
    """Where windows come from. ``rows`` are those of one window, which spans ``days``."""

    kind: Kind
    rows: int
    seed: int
    reference_days: int = 60
    days: int = 1
    settings: Monitor = field(default_factory=Monitor)

    def __post_init__(self) -> None:
        self.draw = np.random.default_rng(self.seed)
        self._last: dict[str, float] = {}
        self._step = 0
        counts = self._steps(self.reference_days * STEPS)
        starts = np.arange(self.reference_days * STEPS + 1) * DAY / STEPS
        self.profiles = {name: profile(name, table.sum(axis=0)) for name, table in counts.items()}
        self.nulls: dict[str, Null] = {
            name: null(Runs(table, starts), self.window_rows, self.days * DAY)
            for name, table in counts.items()
        }

    @property
    def per_step(self) -> int:
        """Rows of one step."""
        return max(self.rows // (self.days * STEPS), 1)

    @property
    def window_rows(self) -> int:
        """Rows of one window."""
        return self.per_step * self.days * STEPS

    def window(self, change: Change | None = None) -> dict[str, ColumnProfile]:
        """Draw the next window."""
        counts = self._steps(self.days * STEPS, change)
        return {name: profile(name, table.sum(axis=0)) for name, table in counts.items()}

    def frame(
        self, rows: int, change: Change | None = None, days: int | None = None
    ) -> pl.DataFrame:
        """Draw the next window row by row."""
        steps = (days or self.days) * STEPS
        levels = self._levels(steps)
        place = np.arange(rows) * steps // rows
        columns: dict[str, Any] = {}
        for name in [*NUMBERS, "answer"]:
            shift, scale = _numbers(name, change)
            columns[name] = LOAD.get(name, 0.0) * levels[name][place] + shift
            columns[name] = columns[name] + scale * self.draw.normal(size=rows)
        for name in CATEGORIES:
            shares = _categories(name, levels[name], change)[place].cumsum(axis=1)
            columns[name] = [f"v{i}" for i in (self.draw.random((rows, 1)) > shares).sum(axis=1)]
        missing = self.draw.random(rows) < _missing("x5", change)
        columns["x5"] = np.where(missing, np.nan, columns["x5"])
        return pl.DataFrame(columns).with_columns(pl.col("x5").fill_nan(None))

    def _steps(self, steps: int, change: Change | None = None) -> dict[str, Any]:
        levels, found = self._levels(steps), {}
        for name in [*NUMBERS, "answer", "error"]:
            shift, scale = _numbers(name, change)
            center = LOAD.get(name, 0.0) * levels[name] + shift
            shares = _bins(center, scale, np.sqrt(1 + LOAD.get(name, 0.0) ** 2))
            found[name] = self._drawn(shares, _missing(name, change))
        for name in CATEGORIES:
            found[name] = self._drawn(_categories(name, levels[name], change), 0.0)
        return found

    def _drawn(self, shares: Any, missing: float) -> Any:
        nulls = np.full((len(shares), 1), missing)
        return self.draw.multinomial(self.per_step, np.hstack([shares * (1 - missing), nulls]))

    def _levels(self, steps: int) -> dict[str, Any]:
        """The latent level of every column; half of it is shared."""
        names = [*NUMBERS, *CATEGORIES, "answer", "error"]
        if self.kind == "independent":
            return dict.fromkeys(names, np.zeros(steps))
        when = np.arange(self._step, self._step + steps)
        self._step += steps
        if self.kind == "seasonal":
            hour, day = np.sin(2 * np.pi * when / STEPS), (when // STEPS % 7 >= 5).astype(float)
            return dict.fromkeys(names, hour + day)
        shared = self._memory("shared", steps)
        return {name: (shared + self._memory(name, steps)) / np.sqrt(2) for name in names}

    def _memory(self, name: str, steps: int, memory: float = 0.9) -> Any:
        """AR(1) of variance 1: a tenth of the level is new at each step."""
        level = self._last.get(name, float(self.draw.normal()))
        fresh = self.draw.normal(size=steps) * np.sqrt(1 - memory**2)
        found = np.empty(steps)
        for i in range(steps):
            level = memory * level + fresh[i]
            found[i] = level
        self._last[name] = level
        return found


def profile(name: str, counts: Any) -> ColumnProfile:
    """Counts as a profile; what bins stand for does not matter."""
    known = tuple(counts[:-1].tolist())
    rows, nulls = int(counts.sum()), int(counts[-1])
    if name in CATEGORIES:
        names = tuple(f"v{i}" for i in range(len(known) - 1))
        return ColumnProfile(
            kind="categorical", rows=rows, nulls=nulls, counts=known, categories=names
        )
    edges = tuple(map(float, range(len(known) - 1)))
    return ColumnProfile(kind="numeric", rows=rows, nulls=nulls, counts=known, edges=edges)


def signal_of(name: str) -> Drift:
    """What a column is about."""
    return {"answer": "prediction", "error": "joint"}.get(name, "data")  # type: ignore[return-value]


def judge(
    world: World, window: dict[str, ColumnProfile], history: list[Observation]
) -> Observation:
    """Judge one window the way the monitor's stage does."""
    findings: list[Finding] = [
        detect.compare_column(
            name,
            before,
            window[name],
            world.settings,
            signal=signal_of(name),
            expected=world.nulls[name],
        ).finding
        for name, before in world.profiles.items()
    ]
    newest = START + timedelta(days=world.days) * (len(history) + 1)
    seen = Observation(
        model="m",
        version=1,
        sha256=str(len(history)),
        partition=str(len(history)),
        rows=world.window_rows,
        since=newest - timedelta(days=world.days),
        newest=newest,
    )
    recent = history[-budget.RECENT :]
    level = budget.level(world.settings, recent, seen)
    judged = budget.judged(findings, world.settings, level, recent)
    seen = seen.model_copy(update={"findings": judged, "level": level})
    return seen.model_copy(update={"alarm": detect.alarms(recent, seen, world.settings)})


def watch(
    world: World, windows: int, change: Callable[[int], Change | None] = lambda _: None
) -> list[Observation]:
    """Judge windows one after the other; ``change`` says what each of them has."""
    history: list[Observation] = []
    for i in range(windows):
        history.append(judge(world, world.window(change(i)), history))
    return history


def _bins(center: Any, scale: float, spread: float) -> Any:
    """Shares of the ten bins that are deciles without a level."""
    edges = norm.ppf(np.arange(1, 10) / 10) * spread
    upto = norm.cdf((edges[None, :] - center[:, None]) / scale)
    zero, one = np.zeros((len(center), 1)), np.ones((len(center), 1))
    return np.diff(np.hstack([zero, upto, one]), axis=1)


def _categories(name: str, level: Any, change: Change | None) -> Any:
    """Shares by Zipf, of which the first few follow the level; and none of an unknown value."""
    base = -np.log(np.arange(1, PARTS[name] + 1))
    weight = np.exp(base[None, :] + LOAD[name] * level[:, None] * np.sign(base + 1.5)[None, :])
    shares = weight / weight.sum(axis=1, keepdims=True)
    if change and change.column == name and change.what == "category":
        shares = shares * (1 - change.size)
        shares[:, 1] += change.size
    return np.hstack([shares, np.zeros((len(shares), 1))])


def _numbers(name: str, change: Change | None) -> tuple[float, float]:
    """Shift and scale."""
    if change is None or change.column != name:
        return 0.0, 1.0
    return (
        (change.size, 1.0)
        if change.what == "mean"
        else ((0.0, change.size) if change.what == "variance" else (0.0, 1.0))
    )


def _missing(name: str, change: Change | None) -> float:
    usual = 0.002 if name == "x5" else 0.0
    if change and change.column == name and change.what == "missing":
        return usual + change.size
    return usual
