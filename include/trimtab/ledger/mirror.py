"""How far the tracking server has been told what the ledger decided.

The ledger itself is the spool: what comes after a model's newest ``mirrored`` event has not
reached the server yet.
"""

from typing import Any

from trimtab.ledger import champion
from trimtab.ledger.event import Event
from trimtab.ledger.ledger import Ledger

KIND = "mirrored"
TOLD = ("training", "gate", champion.KIND, "staleness")  # kinds that are shown


def untold(ledger: Ledger, model: str) -> list[Event]:
    """Return what the server does not know of a model, in the order it was decided."""
    last = ledger.latest(KIND, model)
    events = ledger.events(subject=model, after=int(last.payload["seq"]) if last else 0)
    return [event for event in events if event.kind in TOLD]


def told(ledger: Ledger, event: Event, **facts: Any) -> None:
    """Record that the server has been told of an event."""
    ledger.append(KIND, event.subject, str(event.seq), {"seq": event.seq, **facts})


def run_id(ledger: Ledger, event: Event) -> str | None:
    """Return the run a training is shown as, None while the server does not know it."""
    found = ledger.find(KIND, event.subject, str(event.seq))
    return (found.payload.get("run_id") if found else None) or event.payload.get("run_id")
