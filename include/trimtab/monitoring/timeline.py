"""What happened window by window: performance, states of the signals, alarms against the budget."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from trimtab.config.monitor import Monitor
from trimtab.monitoring import words
from trimtab.watch import Finding, Observation, Signal

LEFT, RIGHT, TOP, BOTTOM = 64.0, 900.0, 26.0, 176.0
MOST = 40  # newest windows that are drawn
CELLS = 24


@dataclass(frozen=True)
class Point:
    """One window; ``low`` and ``high`` are the heights of its interval."""

    x: float
    y: float
    title: str
    low: float | None = None
    high: float | None = None
    alarm: bool = False


@dataclass(frozen=True)
class Text:
    """A word in the picture."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Promise:
    """What the gate promised for the windows of one version, and from where on it is broken."""

    left: float
    right: float
    value: float
    limit: float | None


@dataclass(frozen=True)
class Line:
    """Performance over the windows, with the versions that made it."""

    metric: str
    realised: list[Point]
    estimated: list[Point]
    path: str
    promises: list[Promise]
    versions: list[Text]
    ticks: list[Text]
    labels: list[Text]


@dataclass(frozen=True)
class Cell:
    """State of one signal in one window."""

    tone: str  # alarm | moved | ok | few | none
    title: str


@dataclass(frozen=True)
class Grid:
    """Signals by windows, the newest on the right."""

    rows: list[tuple[str, list[Cell]]]
    windows: list[str]
    versions: list[int]


@dataclass(frozen=True)
class Spent:
    """Alarms of the budget's span; true ones are among them, the budget is for false ones."""

    alarms: tuple[str, ...]  # windows in which one began, with their signals
    windows: int
    allowed: int
    span: str


def performance(observations: Sequence[Observation]) -> Line | None:
    """Draw realised and estimated performance; None before two windows have either."""
    seen = [w for w in observations if _realised(w) is not None or _estimated(w)][-MOST:]
    if len(seen) < 2:
        return None
    scale = _Scale.of(seen)
    realised = [(i, w, value) for i, w in enumerate(seen) if (value := _realised(w)) is not None]
    points = [
        scale.point(i, value, _title(w, "", value), _of(w, "performance"), alarm=bool(w.alarm))
        for i, w, value in realised
    ]
    guessed = [
        scale.point(i, found.value or 0.0, _title(w, "estimated ", found.value), found)
        for i, w in enumerate(seen)
        if (found := _estimated(w))
    ]
    first = next((f for w in reversed(seen) if (f := _of(w, "performance") or _estimated(w))), None)
    return Line(
        metric=first.statistic if first else "primary metric",
        realised=points,
        estimated=guessed,
        path=" ".join(f"{point.x:.1f},{point.y:.1f}" for point in points),
        promises=_promises(seen, scale),
        versions=_versions(seen, scale),
        ticks=[Text(LEFT - 8, scale.y(v) + 4, f"{v:.3g}") for v in scale.marks],
        labels=[
            Text(scale.x(i), BOTTOM + 22, w.partition[:12])
            for i, w in enumerate(seen)
            if (len(seen) - 1 - i) % (len(seen) // 10 + 1) == 0
        ],
    )


def grid(observations: Sequence[Observation]) -> Grid:
    """Tell the newest windows' state of every signal that was ever asked."""
    seen = list(observations)[-CELLS:]
    asked = {f.signal for w in seen for f in w.findings}
    return Grid(
        rows=[
            (name, [_cell(w, signal, name) for w in seen])
            for signal, name in words.SIGNALS.items()
            if signal in asked
        ],
        windows=[w.partition for w in seen],
        versions=[w.version for w in seen],
    )


def spent(observations: Sequence[Observation], settings: Monitor) -> Spent:
    """Count the alarms that began within the budget's time, up to the newest window."""
    allowed, span = settings.budget
    newest = observations[-1].newest
    began = []
    inside = 0
    for before, window in pairwise([None, *observations]):
        if window is None or (newest and window.newest and newest - window.newest > span):
            continue
        inside += 1
        loud = {alarm.signal for alarm in before.alarm} if before else set()
        new = [words.SIGNALS[a.signal].lower() for a in window.alarm if a.signal not in loud]
        if new:
            began.append(f"{window.partition} ({', '.join(new)})")
    return Spent(tuple(began), inside, allowed, settings.max_false_alarms.split(" per ")[1])


@dataclass(frozen=True)
class _Scale:
    count: int
    low: float
    high: float

    @classmethod
    def of(cls, seen: Sequence[Observation]) -> "_Scale":
        values = [v for w in seen for f in _drawn(w) for v in _values(f)]
        values += [v for w in seen if (v := _realised(w)) is not None]
        low, high = min(values), max(values)
        room = (high - low) * 0.12 or abs(high) * 0.05 or 1.0
        return cls(len(seen), low - room, high + room)

    def x(self, i: float) -> float:
        return LEFT + (RIGHT - LEFT) * (i + 0.5) / self.count

    def y(self, value: float) -> float:
        return BOTTOM - (value - self.low) / (self.high - self.low) * (BOTTOM - TOP)

    @property
    def marks(self) -> list[float]:
        return [self.low + (self.high - self.low) * share for share in (0.1, 0.5, 0.9)]

    def point(
        self, i: int, value: float, title: str, found: Finding | None, *, alarm: bool = False
    ) -> Point:
        ends = found.interval if found and found.interval else None
        low, high = (self.y(ends[0]), self.y(ends[1])) if ends else (None, None)
        return Point(self.x(i), self.y(value), title, low, high, alarm)


def _of(window: Observation, signal: Signal) -> Finding | None:
    """The finding of a signal about all rows and no other version that has a value."""
    return next(
        (
            f
            for f in window.findings
            if (f.signal, f.slice, f.against) == (signal, None, None) and f.value is not None
        ),
        None,
    )


def _realised(window: Observation) -> float | None:
    return window.performance


def _estimated(window: Observation) -> Finding | None:
    return _of(window, "estimated")


def _drawn(window: Observation) -> list[Finding]:
    return [f for f in (_of(window, "performance"), _estimated(window)) if f]


def _values(finding: Finding) -> list[float]:
    ends = finding.interval or ()
    rest = (finding.value, finding.expected, finding.threshold)
    return [*ends, *(v for v in rest if v is not None)]


def _title(window: Observation, kind: str, value: float | None) -> str:
    return f"{window.partition}, version {window.version}: {kind}{words.number(value)}"


def _promises(seen: Sequence[Observation], scale: _Scale) -> list[Promise]:
    found: list[Promise] = []
    half = (RIGHT - LEFT) / scale.count / 2
    for i, window in enumerate(seen):
        told = next(iter(_drawn(window)), None)
        if told is None or told.expected is None:
            continue
        limit = scale.y(told.threshold) if told.threshold is not None else None
        x, y = scale.x(i), scale.y(told.expected)
        last = found[-1] if found else None
        if last and (last.value, last.limit) == (y, limit) and math.isclose(last.right, x - half):
            found[-1] = Promise(last.left, x + half, y, limit)
        else:
            found.append(Promise(x - half, x + half, y, limit))
    return found


def _versions(seen: Sequence[Observation], scale: _Scale) -> list[Text]:
    half = (RIGHT - LEFT) / scale.count / 2
    return [
        Text(scale.x(i) - half, TOP - 8, f"v{window.version}")
        for i, window in enumerate(seen)
        if i == 0 or window.version != seen[i - 1].version
    ]


def _cell(window: Observation, signal: Signal, name: str) -> Cell:
    mine = [f for f in window.findings if f.signal == signal]
    states = {f.status for f in mine}
    if signal in {alarm.signal for alarm in window.alarm}:
        tone, word = "alarm", "alarm"
    elif "moved" in states:
        tone, word = "moved", "moved, no alarm"
    elif "ok" in states:
        tone, word = "ok", "ok"
    elif states:
        tone, word = "few", words.STATUS[next(iter(states))][0]
    else:
        tone, word = "none", "not looked at"
    moved = [words.what(f) for f in mine if f.status == "moved"][:4]
    told = f": {', '.join(moved)}" if moved else ""
    return Cell(tone, f"{name}, {window.partition}: {word}{told}")
