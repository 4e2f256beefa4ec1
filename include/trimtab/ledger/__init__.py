"""The ledger: one append-only, hash-chained table of everything decided. It is the truth."""

from trimtab.ledger.event import Entry, Event
from trimtab.ledger.ledger import Ledger

__all__ = ["Entry", "Event", "Ledger"]
