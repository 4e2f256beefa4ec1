"""All papers of a version, as file name -> bytes."""

from typing import Any

from trimtab.evaluation import card, report, story
from trimtab.evaluation.papers import (
    annex,
    decisions,
    lineage,
    lineage_schema,
    page,
    plan,
    reproduction,
    results,
    sbom,
    sheet,
)
from trimtab.evaluation.papers.annex import Answers
from trimtab.evaluation.papers.decisions import dumped
from trimtab.evaluation.papers.facts import Facts
from trimtab.evaluation.story import Standing


def compose(facts: Facts, answers: Answers) -> dict[str, bytes]:
    """Return every paper.

    Raises:
        IntegrityError: the lineage does not fit OpenLineage's schema.
    """
    found = {
        **{name: dumped(content) for name, content in _documents(facts, answers).items()},
        **{name: text.encode() for name, text in _texts(facts).items()},
        **facts.files,
    }
    if facts.lock is not None:
        found[f"environment/{facts.made['lock']['name']}"] = facts.lock
    return {**found, "index.html": page.html(facts, answers, sorted(found)).encode()}


def _documents(facts: Facts, answers: Answers) -> dict[str, Any]:
    told = lineage.events(facts)
    lineage_schema.validate(told)
    return {
        "annex_iv.json": annex.document(facts, answers),
        "approvals.json": decisions.approvals(facts),
        "data_sheet.json": sheet.sheet(facts),
        "events.json": [decisions.entry(event) for event in facts.events],
        "history.json": decisions.history(facts),
        "lineage.json": told,
        "monitoring_plan.json": plan.plan(facts),
        **results.results(facts),
    }


def _texts(facts: Facts) -> dict[str, str]:
    config = reproduction.configuration(facts)
    return {
        **{f"config/{name}": text for name, text in config.items()},
        "environment/requirements.txt": sbom.requirements(facts),
        "environment/sbom.cdx.json": sbom.sbom(facts),
        "reproduce.sh": reproduction.script(facts),
        **card.texts(facts),
        **_gate(facts),
    }


def _gate(facts: Facts) -> dict[str, str]:
    if facts.verdict is None:
        return {}
    told, version = facts.history, facts.candidate.version
    standing = Standing(facts.approval, promotion=story.promotion(told, version))
    made = (facts.candidate, facts.opponent, facts.importance)
    return {"gate.html": report.html(facts.verdict, facts.spec, *made, standing)}
