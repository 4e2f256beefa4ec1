"""The gate report: one HTML page that a manager can read, and the verdict as JSON beside it."""

import json
from pathlib import Path
from typing import Any

from trimtab.config.model import METRICS, ModelSpec
from trimtab.evaluation import pages, words
from trimtab.evaluation.bars import Bars
from trimtab.evaluation.plot import Dot, Line, Plot
from trimtab.types import Candidate, GateVerdict, Importance

HEADLINES = {
    "PROMOTE": "Fit to serve",
    "HOLD": "Not decided yet",
    "REJECT": "Not fit to serve",
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
) -> Path:
    """Write the page and ``gate.json``; return the page."""
    page = reports / path(verdict.model, verdict.version)
    pages.write(page.with_suffix(".json"), json.dumps(verdict.to_json(), indent=2) + "\n")
    pages.write(page, html(verdict, spec, candidate, champion, importance))
    return page


def html(
    verdict: GateVerdict,
    spec: ModelSpec,
    candidate: Candidate,
    champion: Candidate | None,
    importance: Importance | None = None,
) -> str:
    """Return the page."""
    return pages.render(
        "gate.html.j2",
        verdict=verdict,
        headline=HEADLINES[verdict.verdict],
        spec=spec,
        candidate=candidate,
        champion=champion,
        values=values_plot(verdict, spec),
        difference=difference_plot(verdict, spec),
        slices=slices_plot(verdict),
        worth=Bars.of(importance) if importance else None,
        metrics=metrics_table(verdict, candidate.features.task),
        facts=facts(candidate),
        confidence=words.percent(spec.gate.versus_champion.confidence),
    )


def values_plot(verdict: GateVerdict, spec: ModelSpec) -> Plot | None:
    """The challenger's interval beside the champion and the baselines."""
    if verdict.value != verdict.value:
        return None
    low, high = verdict.interval
    dots = [Dot(f"Challenger, version {verdict.version}", verdict.value, low, high)]
    if verdict.champion_value is not None:
        dots.append(
            Dot(f"Champion, version {verdict.champion}", verdict.champion_value, tone="other")
        )
    dots += [
        Dot(f"{who.capitalize()} baseline", verdict.metrics[name], tone="faint")
        for who in ("linear", "dummy")
        if (name := f"{who}.{verdict.primary}") in verdict.metrics
    ]
    least = spec.gate.min
    lines = (Line(least, f"gate.min {words.number(least)}"),) if least is not None else ()
    return Plot(tuple(dots), lines)


def difference_plot(verdict: GateVerdict, spec: ModelSpec) -> Plot | None:
    """Challenger minus champion, with zero and the margin."""
    if verdict.difference is None:
        return None
    low, estimate, high = verdict.difference
    margin = spec.gate.versus_champion.margin
    lines = [Line(0.0, "no difference", "zero")]
    if spec.gate.versus_champion.mode == "non_inferior" and margin:
        lines.append(Line(-margin, f"margin {words.number(-margin)}"))
    dot = Dot("Challenger minus champion", estimate, low, high)
    return Plot((dot,), tuple(lines), sign=True)


def slices_plot(verdict: GateVerdict) -> Plot | None:
    """Every judged slice: the challenger with its interval, the champion as a ring."""
    dots = tuple(
        Dot(
            f"{part['column']} = {part['value']}",
            part["metric"],
            low=part["interval"][0],
            high=part["interval"][1],
            other=part["champion"],
            note=f"{part['rows']:,} rows",
        )
        for part in verdict.slices
    )
    return Plot(dots) if dots else None


def metrics_table(verdict: GateVerdict, task: str) -> list[tuple[str, list[float | None]]]:
    """All metrics of everybody measured, the primary one first."""
    who = ["", *(["champion."] if verdict.champion else []), "linear.", "dummy."]
    names = dict.fromkeys((verdict.primary, *METRICS[task])) if verdict.metrics else {}
    return [(name, [verdict.metrics.get(f"{prefix}{name}") for prefix in who]) for name in names]


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
