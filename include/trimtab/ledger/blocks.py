"""Versions that must not serve, whatever a gate says, until a person lets them again."""

from trimtab.ledger import champion
from trimtab.ledger.event import Event
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.marks import Marks
from trimtab.types import Block

BLOCKED, UNBLOCKED = champion.BLOCKED, "unblocked"
_WORDS = Marks(BLOCKED, UNBLOCKED, field="version")


def standing(ledger: Ledger, model: str) -> dict[int, Event]:
    """Return what keeps versions from serving: version -> the event that says why."""
    return _WORDS.standing(ledger, model)


def marks(ledger: Ledger, model: str, version: int | None = None) -> list[Event]:
    """Return every word that blocked versions (or this one) or let them go, oldest first."""
    return _WORDS.of(ledger, model, version)


def mark(ledger: Ledger, wanted: Block) -> Event:
    """Block a version or let it go. The same word twice is one event, however often it changes."""
    kind = BLOCKED if wanted.blocked else UNBLOCKED
    return _WORDS.say(ledger, wanted.model, kind, wanted.to_json(), actor=wanted.actor)
