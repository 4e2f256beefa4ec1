"""The certificate of a rebuild: a page that a person can read, and the same as JSON beside it."""

import json
from pathlib import Path

from trimtab.evaluation import pages, report, words
from trimtab.types import Candidate, Certificate


def path(model: str, version: int) -> str:
    """Where the page of a version is, relative to the reports."""
    return f"models/{model}/v{version}/certificate.html"


def write(reports: Path, certificate: Certificate, candidate: Candidate) -> Path:
    """Write the page and ``certificate.json``; return the page."""
    page = reports / path(certificate.model, certificate.version)
    pages.write(page.with_suffix(".json"), json.dumps(certificate.to_json(), indent=2) + "\n")
    pages.write(page, html(certificate, candidate))
    return page


def html(certificate: Certificate, candidate: Candidate) -> str:
    """Return the page."""
    return pages.render(
        "certificate.html.j2",
        certificate=certificate,
        candidate=candidate,
        told=verdict(certificate),
        facts=report.facts(candidate),
        hardware=[(name, words.hardware(name, value)) for name, value in _hardware(certificate)],
    )


def verdict(certificate: Certificate) -> str:
    """Say in one sentence what the rebuild found."""
    if certificate.equal:
        return (
            f"Trained again from its record alone, it predicts {certificate.rows:,} recorded rows "
            "with a maximum absolute difference of 0."
        )
    if certificate.rows == 0:
        return "It was not trained again: not everything is as it was recorded."
    if certificate.max_difference == 0:
        return (
            f"Its predictions of {certificate.rows:,} recorded rows are the same, but not "
            "everything is as it was recorded, so this proves nothing."
        )
    return (
        f"Trained again, it predicts otherwise: up to {certificate.max_difference:g} apart on "
        f"{certificate.rows:,} recorded rows."
    )


def _hardware(certificate: Certificate) -> list[tuple[str, object]]:
    return [(name, value) for name, value in certificate.hardware.items() if value]
