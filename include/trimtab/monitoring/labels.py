"""Whether the truth comes when it should. Pure."""

from datetime import datetime, timedelta
from statistics import median

from trimtab.config.monitor import Monitor
from trimtab.monitoring.history import History
from trimtab.watch import Observation

USUAL = 0.5  # of the labels that usually come: fewer are late


def late(
    history: History, settings: Monitor, delay: timedelta, now: datetime | None
) -> tuple[Observation, ...]:
    """Return the windows whose labels are due and missing, when that persists; else none.

    A label is due ``delay`` after its row. Of how many rows a label comes is learnt from earlier
    windows; before there are any, only windows without a single label are late.
    """
    k, n = settings.persistence("performance")
    files = [each for each in history.observations if each.labels_at is None]
    due = [w for w in files if now and w.newest and w.newest + delay <= now and w.rows]
    usual = [_share(w, history) for w in due[:-n] if history.labelled.get(w.sha256)]
    least = USUAL * median(usual) if usual else 0.0
    missing = [w for w in due[-n:] if _share(w, history) <= least]
    newest_late = bool(due) and due[-1] in missing
    return tuple(missing) if newest_late and len(missing) >= k else ()


def _share(window: Observation, history: History) -> float:
    return history.labelled.get(window.sha256, 0) / window.rows
