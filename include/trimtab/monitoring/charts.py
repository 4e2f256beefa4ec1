"""Geometry of the page's pictures; the template draws and escapes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from trimtab.monitoring.detect import Comparison
from trimtab.monitoring.profile import ColumnProfile
from trimtab.watch import Observation

WIDTH, HEIGHT, BASE = 300.0, 128.0, 104.0
SHOWN_CATEGORIES = 8


@dataclass(frozen=True)
class Bar:
    """One bar with the text that shows when it is pointed at."""

    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True)
class Label:
    """A text below the axis; ``anchor`` is SVG's, so that the outer ones stay inside."""

    x: float
    text: str
    anchor: str = "middle"


@dataclass(frozen=True)
class Histogram:
    """Both sides of one column in the same bins."""

    reference: list[Bar]
    current: list[Bar]
    labels: list[Label]


@dataclass(frozen=True)
class Point:
    """One observation on the performance line."""

    x: float
    y: float
    title: str
    alarm: bool


@dataclass(frozen=True)
class Line:
    """Realised performance over the observations, with the versions that made them."""

    points: list[Point]
    path: str
    labels: list[Label]
    versions: list[Label]
    ticks: list[Label]  # x holds the height here


def histogram(comparison: Comparison) -> Histogram | None:
    """Draw the shares of the bins, or nothing when a side is missing."""
    before, after = comparison.reference, comparison.current
    if before is None or after is None or not before.rows or not after.rows:
        return None
    bins = _bins(before, after)
    top = max(max(left, right) for _, _, left, right in bins) or 1.0
    step = WIDTH / len(bins)
    sides: tuple[list[Bar], list[Bar]] = ([], [])
    labels = []
    for i, (name, short, left, right) in enumerate(bins):
        for side, share in enumerate((left, right)):
            height = share / top * (BASE - 10)
            x, width = i * step + step * (0.08 + 0.42 * side), step * 0.42
            title = f"{name}: {left:.1%} before, {right:.1%} now"
            sides[side].append(Bar(x, BASE - height, width, height, title))
        if short:
            labels.append(_label(i, short, step, named=before.kind == "categorical"))
    return Histogram(*sides, labels)


def performance(observations: Sequence[Observation]) -> Line | None:
    """Draw the primary metric over the observations that have one; at least two make a line."""
    seen = [o for o in observations if o.performance is not None]
    if len(seen) < 2:
        return None
    values = [o.performance or 0.0 for o in seen]
    low, high = min(values), max(values)
    room = (high - low) * 0.15 or abs(high) * 0.05 or 1.0
    low, high = low - room, high + room
    left, right, top, bottom = 70.0, 900.0, 24.0, 170.0
    points, labels, versions = [], [], []
    for i, (observation, value) in enumerate(zip(seen, values, strict=True)):
        x = left + (right - left) * (i + 0.5) / len(seen)
        y = bottom - (value - low) / (high - low) * (bottom - top)
        title = f"{observation.partition}, version {observation.version}: {value:.4g}"
        points.append(Point(x, y, title, bool(observation.alarm)))
        if i % (len(seen) // 14 + 1) == 0:
            labels.append(Label(x, observation.partition[:12]))
        if i == 0 or observation.version != seen[i - 1].version:
            half = (right - left) / len(seen) / 2
            versions.append(Label(x - half if i else left, f"v{observation.version}"))
    path = " ".join(f"{point.x:.1f},{point.y:.1f}" for point in points)
    marks = [low + (high - low) * share for share in (0.1, 0.5, 0.9)]
    ticks = [Label(bottom - (m - low) / (high - low) * (bottom - top), f"{m:.3g}") for m in marks]
    return Line(points, path, labels, versions, ticks)


def _label(i: int, text: str, step: float, *, named: bool) -> Label:
    if not named and text.startswith("≤") and i == 0:
        return Label(0, text, "start")
    if not named and text.startswith(">"):
        return Label((i + 1) * step - 2, text, "end")
    return Label(i * step + step / 2, text)


def _bins(before: ColumnProfile, after: ColumnProfile) -> list[tuple[str, str, float, float]]:
    """Return name, short label, share before and share now of every bin worth showing."""
    names = _category_names(before) if before.kind == "categorical" else _range_names(before)
    rows = [
        (name, short, left / before.rows, right / after.rows)
        for (name, short), left, right in zip(names, before.counts, after.counts, strict=True)
    ]
    if before.kind == "categorical":
        rows = _largest(rows)
    if before.nulls or after.nulls:
        rows.append(("no value", "null", before.null_share, after.null_share))
    return rows


def _largest(
    rows: list[tuple[str, str, float, float]],
) -> list[tuple[str, str, float, float]]:
    listed, other = rows[:-1], rows[-1]
    order = sorted(range(len(listed)), key=lambda i: -max(listed[i][2:]))[:SHOWN_CATEGORIES]
    shown = [listed[i] for i in sorted(order)]
    rest = [row for i, row in enumerate(listed) if i not in order] + [other]
    left, right = sum(row[2] for row in rest), sum(row[3] for row in rest)
    return [*shown, ("other values", "other", left, right)] if left or right else shown


def _category_names(profile: ColumnProfile) -> list[tuple[str, str]]:
    names = [(name, name if len(name) <= 5 else f"{name[:4]}…") for name in profile.categories]
    return [*names, ("other values", "other")]


def _range_names(profile: ColumnProfile) -> list[tuple[str, str]]:
    if not profile.edges:
        return [("all values", "")]
    edges = [f"{edge:,.0f}" if abs(edge) >= 1000 else f"{edge:.3g}" for edge in profile.edges]
    names = [f"up to {edges[0]}"]
    names += [f"{low} to {high}" for low, high in pairwise(edges)]
    names.append(f"above {edges[-1]}")
    shown = {0: f"≤{edges[0]}", len(edges): f">{edges[-1]}"}
    if len(edges) >= 4:
        shown[len(edges) // 2] = f"≤{edges[len(edges) // 2]}"
    return [(name, shown.get(i, "")) for i, name in enumerate(names)]
