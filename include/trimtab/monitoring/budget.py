"""How sure a finding must be, so that false alarms stay inside what a person allowed. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median_low

from trimtab.config.monitor import Monitor
from trimtab.watch import Finding, Observation

HIGHEST = 0.05  # a budget that allows an alarm in every window is no budget: never less sure
UNTIMED = 0.01  # per window, where no time says how many windows the budget's span has


def level(settings: Monitor, history: Sequence[Observation], newest: Observation) -> float:
    """Chance of a false alarm in one window that the budget allows.

    The budget's alarms are spread over the windows of its time, at the pace of the windows so far.
    Persistence gets no credit here: it makes the promise safer than said.
    """
    count, span = settings.budget
    pace = _pace([*history, newest])
    if pace is None:
        return UNTIMED
    return min(count * (pace / span), HIGHEST)


def judged(findings: Iterable[Finding], settings: Monitor, level: float) -> tuple[Finding, ...]:
    """Set every finding's status: moved when it is both sure enough and large enough.

    The level is shared equally by the signals that can alarm and have a chance (a p-value) in this
    window; within a signal the step-down of Holm (1979) holds the chance of any false one.
    """
    found = list(findings)
    signals = {f.signal for f in found if f.p_value is not None}
    share = level / max(len(signals), 1)
    moved = {id(f) for signal in signals for f in _holm(found, signal, share)}
    return tuple(
        f
        if f.p_value is None or f.status not in ("ok", "moved")
        else f.model_copy(update={"status": "moved" if id(f) in moved and large(f) else "ok"})
        for f in found
    )


def large(finding: Finding) -> bool:
    """Whether the change matters, however sure it is; without a threshold every change does."""
    if finding.threshold is None or finding.value is None:
        return True
    if finding.beyond == "below":
        return finding.value <= finding.threshold
    return finding.value >= finding.threshold


def _holm(findings: Sequence[Finding], signal: str, share: float) -> Iterator[Finding]:
    mine = [f for f in findings if f.signal == signal and f.p_value is not None]
    ranked = sorted(mine, key=lambda f: f.p_value or 0.0)
    for i, finding in enumerate(ranked):
        if (finding.p_value or 0.0) > share / (len(ranked) - i):
            return
        yield finding


def _pace(windows: Sequence[Observation]) -> timedelta | None:
    """Typical time from one window to the next; of a first window, the time it spans itself."""
    times: list[datetime] = sorted({w.newest for w in windows if w.newest})
    gaps = [b - a for a, b in pairwise(times)]
    if gaps:
        return median_low(gaps)
    last = windows[-1]
    return last.newest - last.since if last.newest and last.since else None
