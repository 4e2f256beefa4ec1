"""The ledger: one append-only, hash-chained table of everything decided. It is the truth."""

from trimtab.ledger.ledger import Entry, Event, Ledger

__all__ = ["Entry", "Event", "Ledger"]
