"""What every column that moved looks like, read off the window's own values."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from trimtab.monitoring import profile, shape, turnover
from trimtab.monitoring.detect import Comparison
from trimtab.stages.watch import quality
from trimtab.stages.watch.look import Look
from trimtab.watch import Change, Finding

# Of the quality of a column: what another unit, a rename or another world may be behind.
_ASKED = {("quality", name) for name in ("missing", "range", "new_categories")}


def told(
    look: Look, findings: Sequence[Finding], compared: Sequence[Comparison]
) -> tuple[Finding, ...]:
    """Return the judged findings; a column that moved says whether it looks like a fault.

    Args:
        look: at the window.
        findings: judged, one for each of ``compared``.
        compared: with the profiles of both sides.
    """
    return tuple(_told(look, f, c) for f, c in zip(findings, compared, strict=True))


def _told(look: Look, finding: Finding, seen: Comparison) -> Finding:
    column = finding.column
    if finding.status != "moved" or finding.slice or column is None:
        return finding
    if finding.signal != "data" and (finding.signal, finding.statistic) not in _ASKED:
        return finding
    before = seen.reference or look.reference.columns.get(column)
    if before is None or column not in look.rows.columns:
        return finding
    after = seen.current or profile.measure(look.rows, {column: before}).get(column)
    if after is None:  # of another type, which is certain as it is
        return finding
    found = shape.of(before, after, _values(look, column) if before.kind == "numeric" else ())
    change = found.change
    if before.kind == "categorical" and change in ("shift", "new_values", "renamed"):
        change = _came_and_went(look, column, change)
    return finding.model_copy(update={"change": change, "factor": found.factor})


def _came_and_went(look: Look, column: str, change: Change) -> Change:
    """Whether known values were renamed, by all values and by how they come and go anyway."""
    usual = quality.usual_wholeness(look).columns.get(column)
    if usual is None or usual.values is None or usual.turnover is None:
        return change
    seen = look.rows.select(profile.as_counted(column, "categorical")).to_series().drop_nulls()
    now = dict(seen.value_counts().iter_rows())
    if turnover.renamed(usual.values, usual.turnover, now):
        return "renamed"
    return "new_values" if change == "renamed" else change


def _values(look: Look, column: str) -> Any:
    return look.rows[column].cast(pl.Float64, strict=False).drop_nulls().to_numpy()
