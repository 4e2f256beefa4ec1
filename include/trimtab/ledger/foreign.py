"""What somebody changed in the tracking server by hand: each incident once, and its repair."""

from collections.abc import Iterable

from trimtab.ledger.event import Event
from trimtab.ledger.ledger import Ledger
from trimtab.types import ForeignChange

KIND, REPAIRED = "foreign_change", "foreign_repaired"


def noticed(ledger: Ledger, change: ForeignChange) -> Event:
    """Record a change before it is repaired.

    What was noticed and not repaired yet (somebody was killed in between, or it cannot be) is the
    same incident; the same thing changed again after a repair is another one.
    """
    repaired = [e for e in ledger.events(REPAIRED, change.model) if _of(e.key) == _name(change)]
    key = f"{_name(change)}#{len(repaired)}"
    return ledger.append(KIND, change.model, key, change.to_json(), actor="somebody")


def repaired(ledger: Ledger, noticed: Event) -> None:
    """Record that a change was put right."""
    ledger.append(REPAIRED, noticed.subject, noticed.key, {"seq": noticed.seq})


def unfinished(ledger: Ledger, model: str, there: Iterable[ForeignChange] = ()) -> list[Event]:
    """Return the changes that were put right, being no more ``there``, and not recorded as such."""
    done = {event.key for event in ledger.events(REPAIRED, model)}
    names = {_name(change) for change in there}
    asked = [event for event in ledger.events(KIND, model) if event.payload["repaired"]]
    return [e for e in asked if e.key not in done and _of(e.key) not in names]


def _name(change: ForeignChange) -> str:
    return f"{change.what}:{change.name}"


def _of(key: str) -> str:
    return key.rpartition("#")[0]
