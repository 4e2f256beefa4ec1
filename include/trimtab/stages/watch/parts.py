"""Faults of one source among several: the rows where a column of few values has one of them."""

from typing import Any

import polars as pl

from trimtab.monitoring import profile, shape
from trimtab.monitoring.distance import psi
from trimtab.monitoring.profile import ColumnProfile
from trimtab.monitoring.shape import Shape
from trimtab.stages.watch.before import Before
from trimtab.watch import Change, Finding

MOVED = 0.25  # least PSI of the part's own rows, of a large change (Siddiqi 2006)
CALM = 4  # times less have the others moved
_FAULTS: tuple[Change, ...] = ("scale", "offset", "stuck")


def values(rows: pl.DataFrame, column: str) -> Any:
    """Return a column's values as floats, (n,), without gaps and infinities."""
    found = rows[column].cast(pl.Float64, strict=False).drop_nulls()
    return found.filter(found.is_finite()).to_numpy()


def search(before: Before, finding: Finding, column: str) -> Finding:
    """Return the finding with what is wrong in the rows of one value of another column, if so."""
    for part in before.parts:
        names = _counts(before.look.rows, part)
        for value in names if part != column else ():
            if found := _fault(before, column, part, value):
                note = f"{finding.note}; where {part}={value}".removeprefix("; ")
                told = {"change": found.change, "factor": found.factor, "note": note}
                return finding.model_copy(update=told)
    return finding


def told(before: Before, finding: Finding, column: str) -> Finding:
    """Return a finding of one part with what its rows look like."""
    part, _, value = (finding.slice or "").partition("=")
    if part not in before.parts or column not in before.look.candidate.features.numeric:
        return finding
    found = _fault(before, column, part, value)
    if found is None:
        return finding.model_copy(update={"change": "shift"})
    return finding.model_copy(update={"change": found.change, "factor": found.factor})


def _fault(before: Before, column: str, part: str, value: str) -> Shape | None:
    """What is wrong in these rows, when it is wrong nowhere else."""
    here = pl.col(part).cast(pl.String) == value
    for earlier in before.of(column):
        rows = earlier.rows
        if part not in rows.columns:
            continue
        (inside, now), (others, rest) = (
            _sides(rows.filter(which), before.look.rows.filter(which), column)
            for which in (here, ~here.fill_null(value=False))
        )
        enough = min(inside.rows, now.rows) >= before.look.settings.min_rows
        if not enough or psi(inside.counts, now.counts) < MOVED:
            continue
        if psi(others.counts, rest.counts) * CALM > psi(inside.counts, now.counts):
            continue
        seen = values(before.look.rows.filter(here), column)
        found = shape.of(inside, now, seen, sudden=earlier.just_before)
        if found.change in _FAULTS:
            return found
    return None


def _sides(
    before: pl.DataFrame, now: pl.DataFrame, column: str
) -> tuple[ColumnProfile, ColumnProfile]:
    usual = profile.build(before, {column: "numeric"})[column]
    return usual, profile.measure(now, {column: usual})[column]


def _counts(rows: pl.DataFrame, part: str) -> list[str]:
    counts = rows[part].cast(pl.String).drop_nulls().value_counts(sort=True)
    return [str(name) for name in counts[part]]
