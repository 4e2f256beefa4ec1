"""What a window's distances are when nothing has changed: the reference's blocks, kept as files."""

from collections.abc import Iterable
from typing import Literal

import polars as pl

from trimtab.config.monitor import Monitor
from trimtab.environment import Environment
from trimtab.monitoring import joint, profile, runs
from trimtab.monitoring.joint import ERROR, Basis
from trimtab.monitoring.null import Null, null
from trimtab.monitoring.profile import ColumnProfile, ReferenceProfile
from trimtab.monitoring.runs import Blocks
from trimtab.stages.watch import reference as side
from trimtab.stages.watch.kept import kept, place
from trimtab.stages.watch.look import PREDICTION, Look, answers
from trimtab.stages.watch.top import top
from trimtab.types import Candidate, Record


class JointReference(Record):
    """The columns together in the reference; without a basis fewer than three of them vary."""

    asked: tuple[str, ...]
    rows: int  # of the errors: rows the basis was not fitted on
    basis: Basis | None = None
    error: ColumnProfile | None = None
    blocks: Blocks | None = None


def features(env: Environment, candidate: Candidate, reference: ReferenceProfile) -> Blocks:
    """Return the training rows in blocks, in the order of time; built once per version."""

    def build() -> Blocks:
        time = _time(env, candidate)
        rows = _rows(env, candidate, "train", reference.columns, time)
        return runs.cut(rows, reference.columns, time)

    return kept(place(env, candidate, "blocks.json"), Blocks, build)


def predictions(env: Environment, candidate: Candidate, before: ColumnProfile) -> Blocks:
    """Return the answers on the hold-out rows in blocks; built once per version."""

    def build() -> Blocks:
        time = _time(env, candidate)
        held_out = _rows(env, candidate, "holdout", candidate.features.features, time)
        given = answers(env, candidate, held_out)
        rows = given.with_columns(held_out[time]) if time else given
        return runs.cut(rows, {PREDICTION: before}, time)

    return kept(place(env, candidate, "answers.json"), Blocks, build)


def together(
    env: Environment, candidate: Candidate, columns: dict[str, ColumnProfile]
) -> JointReference:
    """Return how well training rows fit what the others of them have in common."""

    def build() -> JointReference:
        time = _time(env, candidate)
        rows = joint.sample(_rows(env, candidate, "train", columns, time))
        # Rows that were fitted fit better than any others, the more so the more columns there are.
        basis, rows = joint.fit(rows.gather_every(2), columns), rows.gather_every(2, offset=1)
        if basis is None or not rows.height:
            return JointReference(asked=tuple(columns), rows=0)
        error = joint.errors(rows, basis).to_frame()
        seen = profile.build(error, {ERROR: "numeric"})
        if time:
            error = error.with_columns(rows[time])
        blocks = runs.cut(error, seen, time)
        return JointReference(
            asked=tuple(columns), rows=rows.height, basis=basis, error=seen[ERROR], blocks=blocks
        )

    def fits(found: JointReference) -> bool:  # the model file may name other columns by now
        return found.asked == tuple(columns)

    return kept(place(env, candidate, "joint.json"), JointReference, build, fits)


def watched(
    env: Environment, candidate: Candidate, reference: ReferenceProfile, settings: Monitor
) -> dict[str, ColumnProfile]:
    """Return the columns that may cry: those asked for, else the most important features."""
    named = settings.watch("data").columns
    names = top(env, candidate, settings.top) if named is None else named
    return {name: before for name, before in reference.columns.items() if name in names}


def nulls(look: Look, reference: Blocks, columns: Iterable[str]) -> dict[str, Null]:
    """Return the null distribution of columns for a window like this one."""
    span, rows = seconds(look.rows, look.time), look.rows.height
    there = [name for name in columns if name in reference.counts]
    return {name: null(reference.of(name), rows, span) for name in there} if rows else {}


def seconds(rows: pl.DataFrame, time: str | None) -> float | None:
    """Return the time a window spans; a few stray rows do not make it longer."""
    if time is None or time not in rows.columns or not rows[time].count():
        return None
    when = rows[time].drop_nulls().cast(pl.Datetime("us")).dt.epoch("us").sort()
    low, high = (when[int(share * (len(when) - 1))] for share in (0.05, 0.95))
    return float(high - low) / 1e6 / 0.9


def _time(env: Environment, candidate: Candidate) -> str | None:
    """The event time's column, where the stored rows have it."""
    time = env.project.dataset(env.project.model(candidate.model).data.from_).time
    there = pl.scan_parquet(env.lake / candidate.features.uri).collect_schema().names()
    return time if time in there else None


def _rows(
    env: Environment,
    candidate: Candidate,
    role: Literal["train", "holdout"],
    columns: Iterable[str],
    time: str | None,
) -> pl.DataFrame:
    return side.rows(env, candidate, role, [*columns, *([time] if time else [])]).collect()
