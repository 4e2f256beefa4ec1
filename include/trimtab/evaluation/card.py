"""The model card: what a version is for, how good it is, who let it pass, how to go back."""

from collections.abc import Sequence
from pathlib import Path

from trimtab.config.columns import primary_metric
from trimtab.config.model import ModelSpec
from trimtab.evaluation import pages, report, words
from trimtab.evaluation.bars import Bars
from trimtab.evaluation.certificate import verdict as told
from trimtab.types import Approval, Candidate, Certificate, Champion, GateVerdict, Importance


def path(model: str, version: int) -> str:
    """Where the card of a version is, relative to the reports."""
    return f"models/{model}/v{version}/card.html"


def write(
    reports: Path,
    spec: ModelSpec,
    candidate: Candidate,
    verdict: GateVerdict | None,
    approval: Approval | None,
    history: Sequence[Champion],
    importance: Importance | None = None,
    certificate: Certificate | None = None,
) -> Path:
    """Write the card as HTML and Markdown; return the page."""
    page = reports / path(candidate.model, candidate.version)
    values = {
        "spec": spec,
        "candidate": candidate,
        "verdict": verdict,
        "approval": approval,
        "history": list(history),
        "confidence": words.percent(spec.gate.versus_champion.confidence),
        "facts": [*report.facts(candidate), *_proof(certificate)],
        "search": _search(spec, candidate),
        "worth": Bars.of(importance) if importance else None,
        "shown": report.Measured.of(verdict, candidate.features.task) if verdict else None,
    }
    pages.write(page.with_suffix(".md"), pages.render("card.md.j2", **values))
    pages.write(page, pages.render("card.html.j2", **values))
    return page


def _search(spec: ModelSpec, candidate: Candidate) -> str:
    name = primary_metric(spec, candidate.features.task)
    best, default = candidate.validation.get(name), candidate.default_score
    gain = None if best is None or default is None else best - default
    return words.search(candidate.trials, gain, name)


def _proof(certificate: Certificate | None) -> list[tuple[str, str]]:
    return [("Rebuild", told(certificate))] if certificate else []
