"""Published files whose rows no training should take, until a person says that they are right."""

from collections.abc import Mapping
from typing import Any

from trimtab.ledger.event import Event
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.marks import Marks

ADVISED, DISMISSED = "quarantine_advised", "quarantine_dismissed"
_WORDS = Marks(ADVISED, DISMISSED, field="sha256")


def standing(ledger: Ledger, dataset: str) -> dict[str, Event]:
    """Return what speaks against files of a dataset: hash -> the word that stands."""
    return _WORDS.standing(ledger, dataset)


def marks(ledger: Ledger, dataset: str, sha256: str | None = None) -> list[Event]:
    """Return every word on a dataset's files (or on this one), oldest first."""
    return _WORDS.of(ledger, dataset, sha256)


def mark(
    ledger: Ledger, dataset: str, sha256: str, kind: str, facts: Mapping[str, Any], *, actor: str
) -> Event:
    """Advise against a file or take it back. The same word twice in a row is one event."""
    return _WORDS.say(ledger, dataset, kind, {"sha256": sha256, **facts}, actor=actor)
