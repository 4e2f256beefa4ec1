"""The model card: what a version is for, how good it is, who let it pass, how to go back."""

from dataclasses import dataclass
from pathlib import Path

from trimtab.config.columns import primary_metric
from trimtab.config.model import ModelSpec
from trimtab.evaluation import pages, report, words
from trimtab.evaluation.bars import Bars
from trimtab.evaluation.certificate import verdict as told
from trimtab.types import Approval, Candidate, Certificate, Champion, GateVerdict, Importance

HEAD = "Ledger entry of the last change"  # a line of the card; audits look for it


def path(model: str, version: int) -> str:
    """Where the card of a version is, relative to the reports."""
    return f"models/{model}/v{version}/card.html"


@dataclass(frozen=True, kw_only=True)
class Card:
    """What the card of a version tells."""

    spec: ModelSpec
    candidate: Candidate
    verdict: GateVerdict | None
    approval: Approval | None
    history: tuple[Champion, ...]  # of the model, all versions
    importance: Importance | None = None
    certificate: Certificate | None = None
    head: str = ""  # the entry of the ledger that last changed the champion, with its hash


def write(reports: Path, card: Card) -> Path:
    """Write the card as HTML and Markdown; return the page."""
    page = reports / path(card.candidate.model, card.candidate.version)
    for name, text in texts(card).items():
        pages.write(page.with_name(name), text)
    return page


def texts(card: Card) -> dict[str, str]:
    """Return ``card.html`` and ``card.md``."""
    spec, candidate, verdict = card.spec, card.candidate, card.verdict
    values = {
        "spec": spec,
        "candidate": candidate,
        "verdict": verdict,
        "approval": card.approval,
        "history": card.history,
        "head": f"{HEAD}: {card.head}" if card.head else "",
        "confidence": words.percent(spec.gate.versus_champion.confidence),
        "facts": [*report.facts(candidate), *_proof(card.certificate)],
        "measured": _measured(verdict) if verdict else [],
        "search": _search(spec, candidate),
        "worth": Bars.of(card.importance) if card.importance else None,
        "shown": report.Measured.of(verdict, candidate.features.task) if verdict else None,
    }
    return {name: pages.render(f"{name}.j2", **values) for name in ("card.html", "card.md")}


def _measured(verdict: GateVerdict) -> list[tuple[str, str]]:
    """What else is known of the rows it was measured on, and of the package."""
    times = {"Hold-out from": verdict.holdout_from, "Hold-out until": verdict.holdout_until}
    found = [(label, words.day(moment)) for label, moment in times.items() if moment]
    if verdict.calibration is not None:
        found.append(("Expected calibration error", words.number(verdict.calibration)))
    return [*found, *report.operation(verdict)]


def _search(spec: ModelSpec, candidate: Candidate) -> str:
    name = primary_metric(spec, candidate.features.task)
    best, default = candidate.validation.get(name), candidate.default_score
    gain = None if best is None or default is None else best - default
    return words.search(candidate.trials, gain, name)


def _proof(certificate: Certificate | None) -> list[tuple[str, str]]:
    return [("Rebuild", told(certificate))] if certificate else []
