"""How far the tracking server has been told what the ledger decided.

The ledger itself is the spool: what comes after a model's newest ``mirrored`` event has not
reached the server yet.
"""

from typing import Any

from trimtab.ledger import blocks, champion
from trimtab.ledger.event import Event
from trimtab.ledger.ledger import Ledger
from trimtab.types import Champion

KIND = "mirrored"
TOLD = (  # kinds that are shown
    "training",
    "gate",
    "approval",
    champion.KIND,
    blocks.BLOCKED,
    blocks.UNBLOCKED,
    "staleness",
)


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


def shown_as(ledger: Ledger, model: str) -> dict[str, int]:
    """Return the runs that show versions: run -> version."""
    runs = {e.key: e.payload.get("run_id") for e in ledger.events(KIND, model)}
    trained = ledger.events("training", model)
    found = {runs.get(str(e.seq)) or e.payload.get("run_id"): e for e in trained}
    return {str(run): int(event.payload["version"]) for run, event in found.items() if run}


def champion_told(ledger: Ledger, model: str) -> Champion | None:
    """Return the champion that the server was told of last."""
    last = ledger.latest(KIND, model)
    told = [e for e in ledger.events(champion.KIND, model) if last and e.seq <= last.payload["seq"]]
    return Champion.model_validate(told[-1].payload) if told else None
