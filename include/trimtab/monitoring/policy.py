"""What a window asks for: the one entry to every decision. Pure: the same history, the same words.

The stages call it on the live ledger, a replay on an old one; so would a back-test of another
policy.
"""

from dataclasses import dataclass
from datetime import datetime

from trimtab.config import ModelSpec
from trimtab.monitoring import guards
from trimtab.monitoring.history import History
from trimtab.monitoring.triage import triage
from trimtab.watch import RetrainDecision, Triage


@dataclass(frozen=True)
class Decisions:
    """About one window: what its alarms mean, and whether to train."""

    triage: Triage
    retrain: RetrainDecision


def decide(history: History, spec: ModelSpec, now: datetime | None) -> Decisions:
    """Decide on the newest window of ``history``.

    Args:
        history: everything the ledger knew, `monitoring.history.Past.at`.
        spec: the model file; ``monitor``, ``retrain`` and ``target.delay`` count.
        now: the data's own time, usually ``history.now``.
    """
    found = triage(history, spec, now)
    return Decisions(found, guards.decide(found, history, spec.retrain, now))
