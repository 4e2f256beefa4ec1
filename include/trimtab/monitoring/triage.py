"""What the pattern of alarms most likely means, and what is to be done about it. Pure."""

from datetime import datetime

from trimtab.config import ModelSpec
from trimtab.monitoring.history import History
from trimtab.watch import Triage


def triage(history: History, spec: ModelSpec, now: datetime | None) -> Triage:
    """Explain the newest window by the first rule that fits."""
    raise NotImplementedError
