"""One writer's turn at the end of the chain: what comes next, and under which key."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, insert, select

from trimtab.clock import Clock
from trimtab.errors import IntegrityError
from trimtab.ledger import chain
from trimtab.ledger.event import Entry, Event, of_row
from trimtab.ledger.keys import VARIABLE, Key, Keyring
from trimtab.ledger.tables import events

LEDGER = "ledger"  # the subject of what is told about the ledger itself


@dataclass(frozen=True)
class Turn:
    """A transaction in which nobody else writes."""

    connection: Connection
    clock: Clock
    keys: Keyring
    origin: dict[str, Any] | None

    def find(self, kind: str, subject: str, key: str) -> Event | None:
        """Return the event with exactly this key, if any."""
        c = events.c
        return self._first(select(events).where(c.kind == kind, c.subject == subject, c.key == key))

    def append(self, new: Entry) -> Event:
        """Write one event under the chain's key; a new chain begins under ours if there is one."""
        if self.keys.current and self._end()[0] == 0:
            self._use(self.keys.current, None, "trimtab", "the first entry")
        fields = {"kind": new.kind, "subject": new.subject, "key": new.key, "actor": new.actor}
        payload = chain.plain(new.payload)
        return self._insert({**fields, "payload": payload}, self._signing(self.switch()))

    def use_key(self, actor: str, reason: str) -> Event:
        """Put what comes from now on under our first key.

        Raises:
            IntegrityError: there is none, or the one the chain is under is not among ours.
        """
        if self.keys.current is None:
            raise IntegrityError(f"there is no key to use; set {VARIABLE}")
        last = self.switch()
        self._signing(last)  # who does not have the key of before may not end it
        if last and last.payload["key"] == self.keys.current.id:
            return last
        return self._use(self.keys.current, last, actor, reason)

    def switch(self) -> Event | None:
        """Return the entry that says which key the chain is under; None for a plain one."""
        c = events.c
        query = select(events).where(c.subject == LEDGER, c.kind == chain.SWITCH)
        return self._first(query.order_by(c.seq.desc()).limit(1))

    def _signing(self, switch: Event | None) -> Key | None:
        if switch is None:
            return None
        if found := self.keys.find(str(switch.payload["key"])):
            return found
        raise IntegrityError(
            f"the ledger's chain is under the key {switch.payload['key']} (entry {switch.seq}), "
            f"which {VARIABLE} does not hold; set it, or nothing can be recorded"
        )

    def _use(self, key: Key, last: Event | None, actor: str, reason: str) -> Event:
        before = str(last.payload["key"]) if last else None
        entry = {
            "kind": chain.SWITCH,
            "subject": LEDGER,
            "key": f"{last.seq if last else 0}:{key.id}",
            "actor": actor,
            "payload": {"key": key.id, "before": before, "reason": reason},
        }
        return self._insert(entry, key)

    def _insert(self, fields: dict[str, Any], key: Key | None) -> Event:
        count, previous = self._end()
        place = {"seq": count + 1, "at": self.clock.now(), "origin": self.origin}
        entry: dict[str, Any] = {**place, **fields}
        entry["hash"] = chain.entry_hash(previous, entry, key)
        self.connection.execute(insert(events).values(**entry, previous=previous))
        return Event(**entry, new=True)

    def _end(self) -> tuple[int, str]:
        """Number and hash of the last entry; of none before the first."""
        query = select(events.c.seq, events.c.hash).order_by(events.c.seq.desc()).limit(1)
        row = self.connection.execute(query).first()
        return (int(row.seq), str(row.hash)) if row else (0, chain.GENESIS)

    def _first(self, query: Select[Any]) -> Event | None:
        row = self.connection.execute(query).first()
        return of_row(row) if row else None
