"""Who serves: the newest ``champion`` event. A change is a compare-and-swap on its generation."""

from datetime import datetime
from typing import Literal

from trimtab.errors import LedgerConflictError
from trimtab.ledger.event import Entry
from trimtab.ledger.ledger import Ledger
from trimtab.types import Block, Champion

KIND = "champion"
BLOCKED = "blocked"  # see trimtab.ledger.blocks


def current(ledger: Ledger, model: str) -> Champion | None:
    """Return the serving version of ``model``, or None before the first promotion."""
    event = ledger.latest(KIND, model)
    return Champion.model_validate(event.payload) if event else None


def history(ledger: Ledger, model: str) -> list[Champion]:
    """Return every promotion and rollback of ``model``, oldest first."""
    return [Champion.model_validate(event.payload) for event in ledger.events(KIND, model)]


def at(ledger: Ledger, model: str, moment: datetime) -> Champion | None:
    """Return who served at a moment of the wall clock, None before the first promotion."""
    past = [event for event in ledger.events(KIND, model) if event.at <= moment]
    return Champion.model_validate(past[-1].payload) if past else None


def swap(
    ledger: Ledger,
    model: str,
    version: int,
    *,
    expected: Champion | None,
    action: Literal["promote", "rollback"],
    actor: str,
    reason: str,
    since: datetime | None = None,
    request: str = "",
    overrode: str = "",
) -> Champion:
    """Make ``version`` the champion if ``expected`` still is; the insert itself is the swap.

    A rollback blocks the version it leads away from, in the same transaction.

    Raises:
        LedgerConflictError: somebody else changed the champion meanwhile.
    """
    generation = expected.generation + 1 if expected else 1
    wanted = Champion(
        model=model,
        version=version,
        generation=generation,
        action=action,
        actor=actor,
        reason=reason,
        since=since,
        previous=expected.version if expected else None,
        request=request,
        overrode=overrode,
    )
    event = ledger.append(
        KIND, model, str(generation), wanted.to_json(), actor=actor, also=_marks(wanted)
    )
    if not event.new and event.payload != wanted.to_json():
        raise LedgerConflictError(
            f"{model}: version {event.payload['version']} became champion by {event.actor} "
            f"(generation {generation}) while version {version} was being judged; judge it again"
        )
    return wanted


def _marks(change: Champion) -> tuple[Entry, ...]:
    if change.action == "promote" or change.previous is None:
        return ()
    left = Block(
        model=change.model, version=change.previous, actor=change.actor, reason=change.reason
    )
    key = f"{left.version}:rollback:{change.generation}"
    return (Entry(BLOCKED, left.model, key, left.to_json(), left.actor),)
