"""Versions that must not serve, whatever a gate says, until a person lets them again."""

from trimtab.ledger import champion
from trimtab.ledger.event import Event
from trimtab.ledger.ledger import Ledger
from trimtab.types import Block

BLOCKED, UNBLOCKED = champion.BLOCKED, "unblocked"


def standing(ledger: Ledger, model: str) -> dict[int, Event]:
    """Return what keeps versions from serving: version -> the event that says why."""
    found: dict[int, Event] = {}
    for event in marks(ledger, model):
        version = int(event.payload["version"])
        if event.kind == BLOCKED:
            found[version] = event
        else:
            found.pop(version, None)
    return found


def marks(ledger: Ledger, model: str, version: int | None = None) -> list[Event]:
    """Return every word that blocked versions (or this one) or let them go, oldest first."""
    found = [event for kind in (BLOCKED, UNBLOCKED) for event in ledger.events(kind, model)]
    mine = [e for e in found if version is None or e.payload["version"] == version]
    return sorted(mine, key=lambda event: event.seq)


def mark(ledger: Ledger, wanted: Block) -> Event:
    """Block a version or let it go. The same word twice is one event, however often it changes."""
    mine = marks(ledger, wanted.model, wanted.version)
    kind = BLOCKED if wanted.blocked else UNBLOCKED
    if mine and mine[-1].kind == kind:
        return mine[-1]
    key = f"{wanted.version}:after:{mine[-1].seq if mine else 0}"
    return ledger.append(kind, wanted.model, key, wanted.to_json(), actor=wanted.actor)
