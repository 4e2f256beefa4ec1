"""Annex IV, heading 1: what the system is, and what it runs on."""

from typing import Any

from trimtab.evaluation.papers.annex.answer import (
    Answer,
    Clause,
    Heading,
    not_applicable,
    pointer,
    value,
    words,
)
from trimtab.evaluation.papers.facts import Facts

_INTERFACE = (
    "Deployers work in Airflow: a form starts a training, an approval or a rollback, pages show the"
    " gate report, the model card and the monitoring; the command line has the same verbs."
)


def _previous(facts: Facts) -> Answer:
    if facts.opponent is None:
        return value("There was no version to compare with when it was judged.")
    return value(
        f"Judged against version {facts.opponent.version} on the same rows; "
        "history.json has every version that served."
    )


def _interacts(facts: Facts) -> Answer:
    known: dict[str, Any] = {
        "reads": [source.name for source in facts.sources],
        "writes": f"table predictions/{facts.candidate.model}",
        "scheduled_by": "Apache Airflow",
    }
    return value(known)


def _updates(facts: Facts) -> Answer:
    lock = facts.made["lock"]
    return value(
        f"Versions are pinned by {lock['name']} (SHA-256 {lock['sha256']}). A version never changes"
        " its software; another one is trained and judged."
    )


def _hardware(facts: Facts) -> Answer:
    machine = {name: facts.made["hardware"].get(name) for name in ("cpu", "cores", "memory")}
    return value({"trained_on": machine, "needs": "a processor; no accelerator"})


HEADING = Heading(
    "1",
    "General description of the AI system",
    (
        Clause("1.a.1", "intended purpose", lambda f: words(f.spec.purpose, "purpose")),
        Clause("1.a.2", "name of the provider", lambda f: value(f.spec.owner)),
        Clause("1.a.3", "version", lambda f: value(f.name)),
        Clause("1.a.4", "relation to previous versions", _previous),
        Clause("1.b", "interaction with other hardware, software and AI systems", _interacts),
        Clause(
            "1.c.1",
            "versions of relevant software",
            lambda f: pointer("environment/sbom.cdx.json", "environment/requirements.txt"),
        ),
        Clause("1.c.2", "requirements related to version updates", _updates),
        Clause(
            "1.d",
            "forms in which the system is put into service",
            lambda f: value("A scheduled job that writes predictions into a table of the lake."),
        ),
        Clause("1.e", "hardware the system is intended to run on", _hardware),
        Clause(
            "1.f",
            "photographs or illustrations of the product it is a component of",
            lambda f: not_applicable("It is software and part of no physical product."),
        ),
        Clause("1.g", "user interface provided to the deployer", lambda f: value(_INTERFACE)),
        Clause("1.h", "instructions for use", lambda f: pointer("card.html", "card.md")),
    ),
)
