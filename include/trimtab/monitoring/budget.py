"""How sure a finding must be, so that false alarms stay inside what a person allowed. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from trimtab.config.monitor import Monitor
from trimtab.watch import Finding, Observation, Signal

HIGHEST = 0.05  # a budget that allows an alarm in every window is no budget: never less sure
UNTIMED = 0.01  # per window, where no time says how many windows the budget's span has
RECENT = 30  # windows that tell the pace, and which signals are heard


def level(settings: Monitor, history: Sequence[Observation], newest: Observation) -> float:
    """Chance of a false alarm in one window that the budget allows.

    The budget's alarms are spread over the windows of its time, at the pace of the windows so far.
    Persistence gets no credit here: it makes the promise safer than said.
    """
    count, span = settings.budget
    every = pace([*history, newest])
    if every is None:
        return UNTIMED
    return min(count * (every / span), HIGHEST)


def judged(
    findings: Iterable[Finding],
    settings: Monitor,
    level: float,
    history: Sequence[Observation] = (),
) -> tuple[Finding, ...]:
    """Set every finding's status: moved when it is both sure enough and large enough.

    The level is shared equally by the signals that can alarm and have a chance (a p-value), in
    this window or in the last ones (``history``): a later look at the labels has no more than its
    share. Where parts of the rows are judged too, the whole and the parts have a half each, so
    that many parts do not hide a change of the whole. Within each the step-down of Holm (1979)
    holds the chance of any false one.
    """
    found = list(findings)
    recent = [f for window in history[-RECENT:] for f in window.findings]
    share = level / max(len(_signals([*recent, *found], settings)), 1)
    moved = {id(f) for signal in _signals(found) for f in _sure(found, signal, share)}
    return tuple(
        f
        if f.p_value is None or f.status not in ("ok", "moved")
        else f.model_copy(update={"status": "moved" if id(f) in moved and large(f) else "ok"})
        for f in found
    )


def _signals(findings: Iterable[Finding], settings: Monitor | None = None) -> set[Signal]:
    """Signals with a chance; with settings only those that may call somebody."""
    there = {f.signal for f in findings if f.p_value is not None}
    return {signal for signal in there if settings is None or settings.watch(signal).alarm}


def large(finding: Finding) -> bool:
    """Whether the change matters, however sure it is; without a threshold every change does."""
    if finding.threshold is None or finding.value is None:
        return True
    if finding.beyond == "below":
        return finding.value <= finding.threshold
    return finding.value >= finding.threshold


def _sure(findings: Sequence[Finding], signal: Signal, share: float) -> Iterator[Finding]:
    mine = [f for f in findings if f.signal == signal and f.p_value is not None]
    share *= of_whole(mine, signal)
    yield from _holm([f for f in mine if f.slice is None], share)
    yield from _holm([f for f in mine if f.slice is not None], share)


def of_whole(findings: Iterable[Finding], signal: Signal) -> float:
    """Which part of a signal's level its findings on the whole window have."""
    parts = {f.slice is None for f in findings if f.signal == signal and f.p_value is not None}
    return 1 / max(len(parts), 1)


def _holm(findings: Sequence[Finding], share: float) -> Iterator[Finding]:
    ranked = sorted(findings, key=lambda f: f.p_value or 0.0)
    for i, finding in enumerate(ranked):
        if (finding.p_value or 0.0) > share / (len(ranked) - i):
            return
        yield finding


def pace(windows: Sequence[Observation]) -> timedelta | None:
    """Mean time from one window to the next; of a first window, the time it spans itself.

    Several files of one day are several windows of that day.
    """
    files = {w.sha256: w for w in windows if w.newest}
    last = list(files.values())[-RECENT:]
    times = [w.newest for w in last if w.newest]
    if len(times) > 1 and max(times) > min(times):
        return (max(times) - min(times)) / (len(times) - 1)
    starts = [w.since for w in last if w.since]
    return (max(times) - min(starts)) / len(times) if times and starts else None
