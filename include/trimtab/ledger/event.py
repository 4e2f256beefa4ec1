"""One line of the ledger, as it is read back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row


@dataclass(frozen=True)
class Event:
    """One line of the ledger. ``new`` is False when the key had been written before."""

    seq: int
    at: datetime
    kind: str
    subject: str
    key: str
    actor: str
    payload: dict[str, Any]
    hash: str = ""
    origin: dict[str, Any] | None = None  # the run or the shell it was written from
    new: bool = False


@dataclass(frozen=True)
class Entry:
    """An event that is to be written."""

    kind: str
    subject: str
    key: str
    payload: Mapping[str, Any]
    actor: str = "trimtab"


def of_row(row: Row[Any]) -> Event:
    """Read a row of the table."""
    return Event(
        seq=row.seq,
        at=row.at if row.at.tzinfo else row.at.replace(tzinfo=UTC),  # SQLite forgets the zone
        kind=row.kind,
        subject=row.subject,
        key=row.key,
        actor=row.actor,
        payload=row.payload,
        hash=row.hash,
        origin=row.origin,
    )
