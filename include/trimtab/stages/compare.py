"""Judge any two files by each other: no ledger, no model, nothing is kept."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from trimtab.config import Project
from trimtab.config.columns import feature_columns
from trimtab.config.dataset import ColumnType
from trimtab.config.monitor import Monitor
from trimtab.errors import DataError
from trimtab.monitoring import budget, detect, profile, quality, report, runs, wholeness
from trimtab.monitoring.detect import Comparison
from trimtab.monitoring.null import null
from trimtab.monitoring.profile import Kind
from trimtab.profiling import typed
from trimtab.profiling.typed import TypedFile
from trimtab.stages.watch import expected
from trimtab.watch import Observation

_KINDS: Mapping[ColumnType, Kind] = {
    "int": "numeric", "float": "numeric", "category": "categorical", "bool": "categorical",
    "time": "hour",
}  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """What two files have apart. ``left_out`` maps a column nobody compared to the reason."""

    reference: TypedFile
    current: TypedFile
    observation: Observation
    compared: list[Comparison]
    left_out: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values: files, rows, every finding."""
        seen = self.observation
        return {
            "reference": {"file": str(self.reference.file), "rows": self.reference.height},
            "current": {"file": str(self.current.file), "rows": self.current.height},
            "summary": seen.summary,
            "moved": sorted({f.name for f in seen.findings if f.status == "moved"}),
            "level": seen.level,
            "findings": [finding.to_json() for finding in seen.findings],
            "left_out": self.left_out,
        }


def files(
    reference: Path, current: Path, *, model: str | None = None, project: Project | None = None
) -> Judged:
    """Judge ``current`` by ``reference``: quality and distribution of every column.

    With a model its contract says what the columns are, its file how strictly they are judged;
    else the reference's own values say what they are.

    Raises:
        DataError: a file is no table, or they have no column in common that can be compared.
    """
    wanted, settings = _asked(model, project)
    before = typed.read(reference, wanted)
    after = typed.read(current, wanted or before.types)
    kinds, left_out = _kinds(before, after, wanted)
    if not kinds:
        told = "; ".join(f"{name}: {why}" for name, why in left_out.items())
        raise DataError(f"{reference} has no column that can be compared ({told})")
    compared = list(_compared(before, after, kinds, settings))
    seen = _judged(model, after, before.time, compared, settings)
    return Judged(before, after, seen, detect.concluded(compared, seen.findings), left_out)


def write_page(judged: Judged, out: Path) -> None:
    """Write the page of what two files have apart."""
    story = report.Story(
        observation=judged.observation,
        purpose=f"{judged.current.file.name} against {judged.reference.file.name}",
        compared=judged.compared,
        history=[judged.observation],
        left_out=judged.left_out,
        evidently="two files were compared",
    )
    report.write(report.render(story), out)


def _asked(
    model: str | None, project: Project | None
) -> tuple[dict[str, ColumnType] | None, Monitor]:
    """The types a model's features have by contract, and how strictly they are judged."""
    if model is None or project is None:
        return None, Monitor()
    spec = project.model(model)
    found = feature_columns(spec, project.catalog)
    return {name: column.type for name, column in found.items()}, spec.monitor


def _kinds(
    before: TypedFile, after: TypedFile, wanted: Mapping[str, ColumnType] | None
) -> tuple[dict[str, Kind], dict[str, str]]:
    """How each column is compared, and why the others are not."""
    schema = before.rows.collect_schema()
    types = before.types if wanted is None else wanted
    out = {n: w for n, w in before.left_out.items() if wanted is None or n in wanted}
    out |= {n: "free text" for n, t in types.items() if t not in _KINDS and n not in out}
    out |= {n: "not in the reference" for n in types if n not in schema}
    if wanted is None:
        new = [n for n in after.rows.collect_schema().names() if n not in schema]
        out |= dict.fromkeys(new, "not in the reference")
    return {n: _KINDS[t] for n, t in types.items() if n not in out}, out


def _compared(
    before: TypedFile, after: TypedFile, kinds: Mapping[str, Kind], settings: Monitor
) -> Iterator[Comparison]:
    time = before.time
    rows = before.rows.select(*dict.fromkeys([*kinds, *([time] if time else [])])).collect()
    usual = wholeness.build(rows, kinds, time=time, identity=rows.columns)
    seen = wholeness.measure(after.rows, usual)
    yield from (Comparison(f) for f in quality.columns(usual, seen, settings))
    reference = profile.build(rows, kinds)
    measured = profile.measure(after.rows, reference)
    blocks = runs.cut(rows, reference, time)
    span = expected.seconds(after.times(time), time)
    nulls = {name: null(blocks.of(name), after.height, span) for name in reference}
    yield from detect.compare(reference, measured, settings, reasons=seen.wrong, nulls=nulls)


def _judged(
    model: str | None,
    after: TypedFile,
    time: str | None,
    compared: list[Comparison],
    settings: Monitor,
) -> Observation:
    times = after.times(time)[time] if time else pl.Series([])
    seen = Observation(
        model=model or "files",
        version=0,
        sha256=_hash(after.file),
        partition=after.file.name,
        rows=after.height,
        since=times.min(),
        newest=times.max(),
    )
    level = budget.level(settings, (), seen)
    findings = budget.judged([c.finding for c in compared], settings, level)
    told = detect.summary(findings)
    return seen.model_copy(update={"findings": findings, "level": level, "summary": told})


def _hash(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
