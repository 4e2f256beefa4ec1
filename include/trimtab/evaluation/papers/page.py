"""The readable dossier: one page that needs no other file; inside the folder it links to all."""

from typing import Any

from trimtab.evaluation import pages, report, words
from trimtab.evaluation.papers import annex, plan, reproduction
from trimtab.evaluation.papers.annex import Answers
from trimtab.evaluation.papers.facts import Facts
from trimtab.ledger import Event

_WHAT = {
    "annex_iv.json": "the clauses of Annex IV with their answers",
    "approvals.json": "who may approve, who was asked, who answered",
    "behaviour.json": "behaviour tests",
    "card.html": "model card",
    "card.md": "model card as text",
    "config/": "configuration it was trained by, defaults included",
    "data_sheet.json": "data sheet: datasets, columns, files, what was set aside",
    "environment/sbom.cdx.json": "software bill of materials, CycloneDX 1.6",
    "environment/requirements.txt": "everything that was installed, pinned",
    "environment/": "lock file of the project",
    "events.json": "entries of the ledger about this version",
    "fairness.json": "gaps between groups of protected columns",
    "figures/": "pictures of its training",
    "gate.html": "gate report",
    "gate.json": "verdict of the gate with every rule",
    "history.json": "versions of the model that served",
    "importance.json": "what every feature is worth",
    "lineage.json": "OpenLineage events",
    "metrics.json": "metrics on the hold-out",
    "monitoring_plan.json": "what is watched, and what follows",
    "record.json": "everything that made the version",
    "reproduce.sh": "trains it again and compares",
    "robustness.json": "the metric on disturbed rows",
    "slices.json": "the metric in groups",
}


def html(facts: Facts, answers: Answers, names: list[str], *, alone: bool = False) -> str:
    """Return the page; ``names`` are the other files, linked unless the page stands alone."""
    done, verdict = annex.completeness(answers), facts.verdict
    return pages.render(
        "dossier.html.j2",
        facts=facts,
        spec=facts.spec,
        candidate=facts.candidate,
        verdict=verdict,
        done=done,
        tiles=_tiles(facts, words.percent(done.share)),
        metrics=report.metrics_table(verdict, facts.candidate.features.task) if verdict else [],
        decisions=[_decision(event) for event in facts.events],
        made=report.facts(facts.candidate),
        plan=plan.plan(facts),
        annex=annex.document(facts, answers)["headings"],
        script=reproduction.script(facts),
        files=[(name, _what(name)) for name in names],
        alone=alone,
    )


def _tiles(facts: Facts, share: str) -> list[tuple[str, str]]:
    verdict, answer = facts.verdict, facts.approval
    approved = "nobody yet"
    if answer:
        approved = f"{'yes' if answer.approved else 'no'}, {answer.actor}"
        approved += f" and {answer.seconded}" if answer.seconded else ""
    serves = facts.history and facts.history[-1].version == facts.candidate.version
    return [
        ("Gate", verdict.verdict if verdict else "not judged"),
        ("Approved", approved),
        ("Champion", "serves now" if serves else "does not serve"),
        ("Annex IV answered", share),
    ]


def _decision(event: Event) -> dict[str, Any]:
    payload = event.payload
    told = payload.get("verdict") or payload.get("action") or payload.get("estimator")
    reason = payload.get("reason") or " ".join(payload.get("reasons", ()))
    return {
        "seq": event.seq,
        "at": event.at,
        "what": f"{event.kind.replace('_', ' ')}{': ' + str(told) if told else ''}",
        "actor": event.actor,
        "reason": reason,
    }


def _what(name: str) -> str:
    """What a file is: by its name, or by the folder it is in."""
    folder = f"{name.split('/')[0]}/" if "/" in name else ""
    return _WHAT.get(name) or _WHAT.get(folder, "")
