"""Words on things that stand until the opposite is said: a version blocked, a file advised against.

Two kinds of event are opposites of each other; of each thing the newest one stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trimtab.ledger.event import Event
from trimtab.ledger.ledger import Ledger


@dataclass(frozen=True)
class Marks:
    """What is said of the things that ``field`` of an event's payload names."""

    said: str  # kind of the event that speaks against a thing
    taken_back: str
    field: str

    def standing(self, ledger: Ledger, subject: str) -> dict[Any, Event]:
        """Return what stands: thing -> the event that says why."""
        found: dict[Any, Event] = {}
        for event in self.of(ledger, subject):
            thing = event.payload[self.field]
            if event.kind == self.said:
                found[thing] = event
            else:
                found.pop(thing, None)
        return found

    def of(self, ledger: Ledger, subject: str, thing: object = None) -> list[Event]:
        """Return every word on the things of a subject (or on this one), oldest first."""
        kinds = (self.said, self.taken_back)
        found = [event for kind in kinds for event in ledger.events(kind, subject)]
        mine = [e for e in found if thing is None or e.payload[self.field] == thing]
        return sorted(mine, key=lambda event: event.seq)

    def say(
        self, ledger: Ledger, subject: str, kind: str, facts: Mapping[str, Any], *, actor: str
    ) -> Event:
        """Say it of the thing that ``facts`` names. The same word twice in a row is one event."""
        thing = facts[self.field]
        mine = self.of(ledger, subject, thing)
        if mine and mine[-1].kind == kind:
            return mine[-1]
        key = f"{thing}:after:{mine[-1].seq if mine else 0}"
        return ledger.append(kind, subject, key, facts, actor=actor)
