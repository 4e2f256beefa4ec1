"""The ledger: one append-only, hash-chained table of everything decided. It is the truth."""

from trimtab.ledger.event import Event
from trimtab.ledger.ledger import Ledger

__all__ = ["Event", "Ledger"]
