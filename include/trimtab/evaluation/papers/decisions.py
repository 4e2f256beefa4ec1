"""Who decided what about a version, and when: answers, changes of the champion, ledger entries."""

import json
from typing import Any

from trimtab.evaluation.papers.facts import Facts
from trimtab.ledger import Event


def approvals(facts: Facts) -> dict[str, Any]:
    """Return the rule, every question, answer and refused attempt, and what followed."""
    asked = [event for event in facts.events if event.kind.startswith("approval")]
    return {
        "rule": facts.spec.approve.model_dump(mode="json"),
        "answer": facts.approval.to_json() if facts.approval else None,
        "events": [entry(event) for event in asked],
        "followed": [entry(event) for event in facts.of("champion")],
    }


def history(facts: Facts) -> list[dict[str, Any]]:
    """Return every version of the model that served, in order."""
    return [change.to_json() for change in facts.history]


def entry(event: Event) -> dict[str, Any]:
    """One entry of the ledger; its hash vouches for all entries up to it."""
    return {
        "seq": event.seq,
        "at": event.at.isoformat(),
        "kind": event.kind,
        "actor": event.actor,
        "key": event.key,
        "payload": event.payload,
        "hash": event.hash,
    }


def dumped(content: Any) -> bytes:
    """JSON that people can read; equal values give equal bytes."""
    return (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
