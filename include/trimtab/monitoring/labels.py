"""Whether the truth comes when it should. Pure."""

from datetime import timedelta
from statistics import median

from trimtab.config.monitor import Monitor
from trimtab.monitoring.history import History
from trimtab.watch import Observation

USUAL = 0.5  # of the labels that usually come: fewer are late


def late(history: History, settings: Monitor, delay: timedelta) -> tuple[Observation, ...]:
    """Return the windows whose labels are due and missing, when that persists; else none.

    A label is due ``delay`` after its row. Of how many rows a label comes is learnt from earlier
    windows; before there are any, only windows without a single label are late.
    """
    k, n = settings.persistence("performance")
    due = _due(history, delay)
    usual = [_share(w, history) for w in due[:-n] if history.labelled.get(w.sha256)]
    least = USUAL * median(usual) if usual else 0.0
    missing = [w for w in due[-n:] if _share(w, history) <= least]
    newest = bool(due) and due[-1] in missing
    return tuple(missing) if newest and len(missing) >= k else ()


def _due(history: History, delay: timedelta) -> list[Observation]:
    """Windows whose labels monitoring has had a chance to see.

    That is, they were due when the window before the newest was observed; and became due after
    the window itself was, since labels that were there before (a backlog of files is caught up
    with) are looked at only when the backlog is done.
    """
    files = [o for o in history.observations if o.labels_at is None and o.rows]
    then = history.clock.get(files[-2].sha256) if len(files) > 1 else None
    found = []
    for window in files[:-1]:
        observed = history.clock.get(window.sha256)
        if window.newest is None or then is None or observed is None:
            continue
        if window.newest + delay <= then and (not delay or window.newest + delay > observed):
            found.append(window)
    return found


def _share(window: Observation, history: History) -> float:
    return history.labelled.get(window.sha256, 0) / window.rows
