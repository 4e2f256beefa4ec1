"""Published files whose rows no training should take, until a person says that they are right."""

from collections.abc import Mapping
from typing import Any

from trimtab.ledger.event import Event
from trimtab.ledger.ledger import Ledger

ADVISED, DISMISSED = "quarantine_advised", "quarantine_dismissed"


def standing(ledger: Ledger, dataset: str) -> dict[str, Event]:
    """Return what speaks against files of a dataset: hash -> the word that stands."""
    found: dict[str, Event] = {}
    for event in marks(ledger, dataset):
        sha256 = str(event.payload["sha256"])
        if event.kind == ADVISED:
            found[sha256] = event
        else:
            found.pop(sha256, None)
    return found


def marks(ledger: Ledger, dataset: str, sha256: str | None = None) -> list[Event]:
    """Return every word on a dataset's files (or on this one), oldest first."""
    found = [event for kind in (ADVISED, DISMISSED) for event in ledger.events(kind, dataset)]
    mine = [e for e in found if sha256 is None or e.payload["sha256"] == sha256]
    return sorted(mine, key=lambda event: event.seq)


def mark(
    ledger: Ledger, dataset: str, sha256: str, kind: str, facts: Mapping[str, Any], *, actor: str
) -> Event:
    """Advise against a file or take it back. The same word twice in a row is one event."""
    mine = marks(ledger, dataset, sha256)
    if mine and mine[-1].kind == kind:
        return mine[-1]
    key = f"{sha256}:after:{mine[-1].seq if mine else 0}"
    return ledger.append(kind, dataset, key, {"sha256": sha256, **facts}, actor=actor)
