"""What every column that moved looks like, read off the window's own values."""

import logging
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import polars as pl

from trimtab.monitoring import budget, likeness, profile, shape, turnover
from trimtab.monitoring.detect import Comparison
from trimtab.stages.watch import parts, quality
from trimtab.stages.watch.before import Before
from trimtab.stages.watch.look import Look
from trimtab.stages.watch.parts import values
from trimtab.watch import Change, Finding

log = logging.getLogger(__name__)
# Of the quality of a column: what another unit, a rename or another world may be behind.
_ASKED = {("quality", name) for name in ("missing", "range", "new_categories")}
PAIR = 2
_OPEN = ("shift", "new_values")  # what may still be a fault of some rows, or a sudden one


def told(
    look: Look, findings: Sequence[Finding], compared: Sequence[Comparison]
) -> tuple[Finding, ...]:
    """Return the judged findings; a column that moved says whether it looks like a fault.

    Args:
        look: at the window.
        findings: judged, one for each of ``compared``.
        compared: with the profiles of both sides.
    """
    before = Before(look)
    found = [_safely(look, before, f, c) for f, c in zip(findings, compared, strict=True)]
    return tuple(_swapped(before, found))


def _safely(look: Look, before: Before, finding: Finding, seen: Comparison) -> Finding:
    """Whatever happens to one column, the numbers stand and the others are looked at."""
    try:
        return _told(look, before, finding, seen)
    except Exception:
        log.exception("%s: the shape of %s could not be told", look.spec.model, finding.name)
        return finding


def _told(look: Look, before: Before, finding: Finding, seen: Comparison) -> Finding:
    column = finding.column
    if column is None or column not in look.rows.columns:
        return finding
    if finding.status == "ok" and finding.signal == "data" and not finding.slice:
        return _certain(before, finding, column)
    if finding.status != "moved":
        return finding
    if finding.slice:
        return parts.told(before, finding, column) if finding.signal == "data" else finding
    if finding.signal != "data" and (finding.signal, finding.statistic) not in _ASKED:
        return finding
    usual = seen.reference or look.reference.columns.get(column)
    if usual is None:
        return finding
    after = seen.current or profile.measure(look.rows, {column: usual}).get(column)
    if after is None:  # of another type, which is certain as it is
        return finding
    now = values(look.rows, column) if usual.kind == "numeric" else ()
    found = shape.of(usual, after, now)
    first = finding.model_copy(update={"change": found.change, "factor": found.factor})
    if usual.kind == "hour":
        return _turned(before, first, column)
    if usual.kind == "categorical":
        return _came_and_went(before, first, column)
    return _closer(before, first, column, now) if found.change in _OPEN else first


def _certain(before: Before, finding: Finding, column: str) -> Finding:
    """Let a large change that chance allows (seasons) count, when it is plainly another unit."""
    numeric = column in before.look.candidate.features.numeric
    if not numeric or not finding.value or not budget.large(finding):
        return finding
    found = _closer(before, finding, column, values(before.look.rows, column))
    if found.change is None:
        return finding
    return found.model_copy(update={"status": "moved"})


def _came_and_went(before: Before, finding: Finding, column: str) -> Finding:
    """Tell whether known values were renamed, by all values and by how they come and go anyway."""
    usual = quality.usual_wholeness(before.look).columns.get(column)
    change = finding.change
    if change not in (*_OPEN, "renamed") or usual is None:
        return finding
    if usual.values is None or usual.turnover is None:
        return finding
    known: Change = "new_values" if change == "renamed" else change
    last = next((each for each in before.of(column) if each.just_before), None)
    if last is None:
        return finding.model_copy(update={"change": known})
    now, then = _counts(before.look.rows, column), _counts(last.rows, column)
    if turnover.renamed(usual.values, usual.turnover, now, then):
        known = "renamed"
    return finding.model_copy(update={"change": known})


def _counts(rows: pl.DataFrame, column: str) -> dict[str, int]:
    seen = rows.select(profile.as_counted(column, "categorical")).to_series().drop_nulls()
    return dict(seen.value_counts().iter_rows())


def _closer(before: Before, finding: Finding, column: str, now: Any) -> Finding:
    """Look once more at a column of numbers: since the file before, in parts, in some rows."""
    for earlier in before.of(column):
        usual = profile.build(earlier.rows, {column: "numeric"})[column]
        after = profile.measure(before.look.rows, {column: usual})[column]
        found = shape.of(usual, after, now, sudden=earlier.just_before)
        if found.change in ("scale", "offset"):
            return finding.model_copy(update={"change": found.change, "factor": found.factor})
    part = parts.search(before, finding, column)
    return _mixed(before, finding, column, now) if part is finding else part


def _mixed(before: Before, finding: Finding, column: str, now: Any) -> Finding:
    for earlier in before.of(column):
        if factor := likeness.mixed(values(earlier.rows, column), now):
            note = f"{finding.note}; in some of the rows".removeprefix("; ")
            return finding.model_copy(update={"change": "scale", "factor": factor, "note": note})
    return finding


def _turned(before: Before, finding: Finding, column: str) -> Finding:
    now = _hours(before.look.rows, column)
    for earlier in before.of(column):
        if by := likeness.turned(_hours(earlier.rows, column), now):
            note = f"{finding.note}; {by:+d} h".removeprefix("; ")
            return finding.model_copy(update={"change": "clock", "note": note})
    return finding


def _hours(rows: pl.DataFrame, column: str) -> Any:
    hours = rows.select(profile.as_counted(column, "hour")).to_series().drop_nulls()
    counts = dict(hours.cast(pl.Int64).value_counts().iter_rows())
    return pl.Series([counts.get(hour, 0) for hour in range(likeness.HOURS)]).to_numpy()


def _swapped(before: Before, findings: list[Finding]) -> list[Finding]:
    """Find pairs of columns of numbers of which each holds now what the other one held."""
    numeric = set(before.look.candidate.features.numeric)
    names = dict.fromkeys(f.column for f in findings if _shifted(f) and f.column in numeric)
    if len(names) < PAIR:
        return findings
    other: dict[str | None, str] = {}
    sides = {name: _sides(before, name) for name in names if name}
    for left, right in combinations(sides, 2):
        if any(likeness.swapped(*pair) for pair in zip(sides[left], sides[right], strict=False)):
            other |= {left: right, right: left}
    return [
        f.model_copy(
            update={
                "change": "swapped",
                "note": f"{f.note}; with {other[f.column]}".removeprefix("; "),
            }
        )
        if f.column in other and _shifted(f)
        else f
        for f in findings
    ]


def _shifted(finding: Finding) -> bool:
    """Whether all rows of a column have moved, and nothing says yet how."""
    return finding.status == "moved" and finding.change == "shift" and not finding.slice


def _sides(before: Before, column: str) -> list[tuple[Any, Any]]:
    now = values(before.look.rows, column)
    return [(values(earlier.rows, column), now) for earlier in before.of(column)]
