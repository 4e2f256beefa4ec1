"""The technical documentation of Annex IV, Regulation (EU) 2024/1689, filled from the records."""

from collections import Counter
from typing import Any

from trimtab.evaluation.papers.annex import development, general, operation
from trimtab.evaluation.papers.annex.answer import Answer, Heading
from trimtab.evaluation.papers.facts import Facts
from trimtab.types import Completeness

HEADINGS = (general.HEADING, development.HEADING, *operation.HEADINGS)
Answers = dict[str, Answer]  # by the id of the clause


def answers(facts: Facts) -> Answers:
    """Answer every clause."""
    return {clause.id: clause.ask(facts) for heading in HEADINGS for clause in heading.clauses}


def completeness(found: Answers) -> Completeness:
    """Count what is answered; an answer with a person's words in it is not automatic."""
    given = {name: answer for name, answer in found.items() if answer.kind != "missing"}
    by = Counter(answer.by for answer in given.values())
    return Completeness(
        fields=len(found),
        automatic=by["record"],
        written=by["person"],
        missing=tuple(name for name in found if name not in given),
    )


def document(facts: Facts, found: Answers) -> dict[str, Any]:
    """Return the nine headings as plain values."""
    done = completeness(found)
    shares = {"share": round(done.share, 4), "automatic_share": round(done.automatic_share, 4)}
    return {
        "regulation": "Regulation (EU) 2024/1689, Annex IV",
        "model": facts.candidate.model,
        "version": facts.candidate.version,
        "completeness": {**done.to_json(), **shares},
        "headings": [_heading(heading, found) for heading in HEADINGS],
    }


def _heading(heading: Heading, found: Answers) -> dict[str, Any]:
    clauses = [
        {"id": clause.id, "clause": clause.text, **found[clause.id].to_json()}
        for clause in heading.clauses
    ]
    return {"number": heading.number, "title": heading.title, "clauses": clauses}
