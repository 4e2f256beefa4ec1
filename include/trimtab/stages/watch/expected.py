"""What a window's distances are when nothing has changed: the reference's blocks, kept as files."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import polars as pl

from trimtab.config.monitor import Monitor
from trimtab.environment import Environment
from trimtab.monitoring import joint, profile, report, runs
from trimtab.monitoring.joint import ERROR, Basis
from trimtab.monitoring.null import Null, null
from trimtab.monitoring.profile import ColumnProfile, ReferenceProfile
from trimtab.monitoring.runs import Blocks
from trimtab.stages.watch.look import PREDICTION, Look, answers
from trimtab.stages.watch.top import top
from trimtab.types import ROLE, Candidate, Record

T = TypeVar("T", bound=Record)


class JointReference(Record):
    """The columns together in the reference; without a basis fewer than three of them vary."""

    basis: Basis | None = None
    error: ColumnProfile | None = None
    blocks: Blocks | None = None


def features(env: Environment, candidate: Candidate, reference: ReferenceProfile) -> Blocks:
    """Return the training rows in blocks, in the order of time; built once per version."""

    def build() -> Blocks:
        time = _time(env, candidate)
        rows = _rows(env, candidate, "train", [*reference.columns], time)
        return runs.cut(rows, reference.columns, time)

    return _kept(_path(env, candidate, "blocks"), Blocks, build)


def predictions(env: Environment, candidate: Candidate, before: ColumnProfile) -> Blocks:
    """Return the answers on the hold-out rows in blocks; built once per version."""

    def build() -> Blocks:
        time = _time(env, candidate)
        held_out = _rows(env, candidate, "holdout")
        given = answers(env, candidate, held_out)
        rows = given.with_columns(held_out[time]) if time else given
        return runs.cut(rows, {PREDICTION: before}, time)

    return _kept(_path(env, candidate, "answers"), Blocks, build)


def together(
    env: Environment, candidate: Candidate, columns: dict[str, ColumnProfile]
) -> JointReference:
    """Return how well the training rows fit what their columns have in common."""

    def build() -> JointReference:
        time = _time(env, candidate)
        rows = joint.sample(_rows(env, candidate, "train", [*columns], time))
        basis = joint.fit(rows, columns)
        if basis is None:
            return JointReference()
        error = joint.errors(rows, basis).to_frame()
        seen = profile.build(error, {ERROR: "numeric"})
        if time:
            error = error.with_columns(rows[time])
        return JointReference(basis=basis, error=seen[ERROR], blocks=runs.cut(error, seen, time))

    return _kept(_path(env, candidate, "joint"), JointReference, build)


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
    role: str,
    columns: Sequence[str] | None = None,
    time: str | None = None,
) -> pl.DataFrame:
    stored = pl.scan_parquet(env.lake / candidate.features.uri).filter(pl.col(ROLE) == role)
    if columns is None:
        return stored.collect()
    return stored.select(list(dict.fromkeys([*columns, *([time] if time else [])]))).collect()


def _path(env: Environment, candidate: Candidate, what: str) -> Path:
    return env.lake / "profiles" / candidate.model / f"{candidate.key[:16]}.{what}.json"


def _kept(path: Path, kind: type[T], build: Callable[[], T]) -> T:
    """Read an artefact, or build it and write it aside; two builders write the same."""
    if path.exists():
        return kind.model_validate_json(path.read_text())
    built = build()
    report.write(built.model_dump_json(), path)
    return built
