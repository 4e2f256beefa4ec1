"""Geometry of the page's pictures; the template draws and escapes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from trimtab.monitoring import words
from trimtab.monitoring.detect import Comparison
from trimtab.monitoring.profile import ColumnProfile
from trimtab.watch import Finding

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
class Dot:
    """One number on a line: where it was, where it is, its interval and its limit, in percent."""

    label: str
    text: str
    now: float
    then: float | None = None
    low: float | None = None
    high: float | None = None
    limit: float | None = None
    moved: bool = False
    title: str = ""


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


def dots(findings: Sequence[Finding]) -> list[Dot]:
    """Draw findings of one unit on one line: those that have a value."""
    drawn = [f for f in findings if f.value is not None]
    every = [v for f in drawn for v in _numbers(f)]
    if not every:
        return []
    low, high = min(every), max(every)
    room = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    low, width = low - room, high - low + 2 * room

    def at(value: float | None) -> float | None:
        return None if value is None else 100 * (value - low) / width

    return [
        Dot(
            label=words.what(f),
            text=words.number(f.value),
            now=at(f.value) or 0.0,
            then=at(f.expected),
            low=at(f.interval[0]) if f.interval else None,
            high=at(f.interval[1]) if f.interval else None,
            limit=at(f.threshold),
            moved=f.status == "moved",
            title=f.note,
        )
        for f in drawn
    ]


def _numbers(finding: Finding) -> list[float]:
    found = (finding.value, finding.expected, finding.threshold, *(finding.interval or ()))
    return [v for v in found if v is not None]


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
