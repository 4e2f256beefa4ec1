"""The gate report: one HTML page that a manager can read, and the verdict as JSON beside it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from trimtab.config.model import METRICS, ModelSpec
from trimtab.evaluation import pages, pictures, story, words
from trimtab.evaluation.bars import Bars
from trimtab.evaluation.pictures import Panel
from trimtab.evaluation.plot import Plot
from trimtab.evaluation.story import Standing
from trimtab.types import Candidate, GateVerdict, Importance

_OPERATION: dict[str, tuple[str, Callable[[float], str]]] = {
    "size": ("Package on disk", words.size),
    "latency": ("Time for one row", lambda value: f"{words.number(value)} ms"),
    "memory": ("Memory when loaded", words.size),
}


def path(model: str, version: int) -> str:
    """Where the page of a version is, relative to the reports."""
    return f"models/{model}/v{version}/gate.html"


def write(
    reports: Path,
    verdict: GateVerdict,
    spec: ModelSpec,
    candidate: Candidate,
    champion: Candidate | None,
    importance: Importance | None = None,
    standing: Standing | None = None,
) -> Path:
    """Write the page and ``gate.json``; return the page."""
    page = reports / path(verdict.model, verdict.version)
    pages.write(page.with_suffix(".json"), json.dumps(verdict.to_json(), indent=2) + "\n")
    pages.write(page, html(verdict, spec, candidate, champion, importance, standing))
    return page


def html(
    verdict: GateVerdict,
    spec: ModelSpec,
    candidate: Candidate,
    champion: Candidate | None,
    importance: Importance | None = None,
    standing: Standing | None = None,
) -> str:
    """Return the page; what was not measured has no section."""
    standing = standing or Standing()
    return pages.render(
        "gate.html.j2",
        verdict=verdict,
        headline=story.HEADLINES[verdict.verdict],
        summary=story.summary(verdict),
        warnings=story.warnings(verdict),
        steps=story.steps(verdict, spec, candidate, standing),
        rules=story.sections(verdict.rules),
        links=standing.links,
        spec=spec,
        candidate=candidate,
        champion=champion,
        worth=Bars.of(importance) if importance else None,
        sides=sides(candidate, champion),
        operation=operation(verdict),
        facts=[*facts(candidate), *_holdout(verdict)],
        confidence=words.percent(spec.gate.versus_champion.confidence),
        shown=Measured.of(verdict, candidate.features.task),
    )


@dataclass(frozen=True)
class Measured:
    """What the gate measured, for the sections that report and model card share."""

    metrics: list[tuple[str, list[float | None]]]
    values: Plot | None
    difference: Plot | None
    slices: Plot | None
    fairness: list[Panel]
    groups: list[Panel]
    robustness: Plot | None
    calibration_limit: float | None

    @classmethod
    def of(cls, verdict: GateVerdict, task: str) -> Self:
        """Lay out every plot of a verdict."""
        return cls(
            metrics=metrics_table(verdict, task),
            values=pictures.values(verdict),
            difference=pictures.difference(verdict),
            slices=pictures.slices(verdict),
            fairness=pictures.fairness(verdict.fairness),
            groups=pictures.groups(verdict.fairness),
            robustness=pictures.robustness(verdict.robustness, verdict.primary),
            calibration_limit=pictures.limit(verdict, "calibration"),
        )


def metrics_table(verdict: GateVerdict, task: str) -> list[tuple[str, list[float | None]]]:
    """All metrics of everybody measured, the primary one first."""
    who = ["", *(["champion."] if verdict.champion else []), "linear.", "dummy."]
    names = dict.fromkeys((verdict.primary, *METRICS[task])) if verdict.metrics else {}
    return [(name, [verdict.metrics.get(f"{prefix}{name}") for prefix in who]) for name in names]


def sides(candidate: Candidate, champion: Candidate | None) -> list[tuple[str, str, str | None]]:
    """How challenger and champion were made, side by side; None: there is no champion."""
    ours, theirs = _made(candidate), _made(champion) if champion else {}
    return [(label, text, theirs.get(label)) for label, text in ours.items()]


def operation(verdict: GateVerdict) -> list[tuple[str, str]]:
    """Size and speed of the package as it will serve, as label and text."""
    told = []
    for name, value in verdict.operation.items():
        label, write = _OPERATION.get(name, (name.replace("_", " "), words.number))
        told.append((label, write(value)))
    return told


def facts(candidate: Candidate) -> list[tuple[str, Any]]:
    """Where a version comes from, as label and text."""
    features = candidate.features
    split = f"{features.train_rows:,} rows to train and tune, {features.holdout_rows:,} held out"
    return [
        ("Estimator", candidate.estimator),
        ("Data versions", words.versions(features.versions)),
        ("Rows", f"{split}, {features.unlabelled:,} without a label"),
        ("Trained on rows before", words.day(features.train_until)),
        ("Newest row", words.day(features.holdout_until)),
        ("Feature set", features.key),
        ("Training key", candidate.key),
        ("MLflow run", candidate.run_id or "not tracked"),
        ("Git commit", words.commit(candidate.git_commit, dirty=candidate.dirty)),
        ("Configuration", candidate.config_hash),
        ("Cause of training", features.cause),
    ]


def _holdout(verdict: GateVerdict) -> list[tuple[str, str]]:
    found = [
        ("Hold-out list", verdict.holdout_sha256),
        ("Resampled by", verdict.resampling),
    ]
    return [(label, text) for label, text in found if text]


def _made(candidate: Candidate) -> dict[str, str]:
    features = candidate.features
    return {
        "Estimator": candidate.estimator,
        "Features": f"{len(features.features):,}",
        "Training rows": f"{features.train_rows:,}",
        "Trained on rows before": words.day(features.train_until),
        "Data versions": words.versions(features.versions),
        "Cause of training": features.cause,
        "Commit": words.commit(candidate.git_commit, dirty=candidate.dirty),
        "MLflow run": candidate.run_id or "not tracked",
    }
