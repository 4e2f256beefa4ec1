"""Which findings of a window speak of a fault at the source rather than of another world. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from trimtab.config.monitor import Monitor
from trimtab.monitoring.history import History
from trimtab.watch import Change, Finding, Observation

WORDS: dict[Change, str] = {
    "scale": "another unit",
    "offset": "another unit or origin",
    "nulls": "missing values",
    "renamed": "a renamed category",
    "stuck": "one value only",
}
# Of the signal `quality`: what the world alone does not do.
_BROKEN = {
    "missing": "missing values",
    "type": "another type",
    "range": "impossible values",
    "duplicates": "duplicate rows",
    "volume": "another number of rows than usual",
    "gap": "data come late, or again",
    "age": "data come late",
}


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong at the source."""

    column: str | None
    kind: str
    finding: str
    words: str

    @property
    def identity(self) -> tuple[str | None, str]:
        """The same fault in another window has the same."""
        return self.column, self.kind


def of(window: Observation, settings: Monitor) -> tuple[Fault, ...]:
    """Return the faults of a window, at first sight: they need no second window to be believed.

    A finding has ``moved`` only within the window's level of the alarm budget, which gives
    persistence no credit, so that acting at once breaks no promise.
    """
    moved = [f for f in window.findings if f.status == "moved" and not f.slice]
    loud = [f for f in moved if settings.watch(f.signal).enabled and settings.watch(f.signal).alarm]
    found = {fault.identity: fault for finding in loud for fault in _fault(finding)}
    return tuple(found.values())


def known(history: History, settings: Monitor) -> frozenset[tuple[str | None, str]]:
    """Faults that a person has dismissed: such data are right from now on, unless repaired."""
    right = history.dismissed - history.repaired
    dismissed = [o for o in history.earlier if o.sha256 in right]
    return frozenset(fault.identity for window in dismissed for fault in of(window, settings))


def files(history: History) -> frozenset[str]:
    """Files of earlier windows with a fault at the source that nobody has dismissed."""
    faulty = {t.key.split(":")[0] for t in history.triages if t.cause == "upstream_fault"}
    return frozenset(faulty - history.dismissed)


def _fault(finding: Finding) -> Iterator[Fault]:
    if finding.signal not in ("data", "quality"):
        return
    if finding.change in WORDS:
        words = _told(finding, WORDS[finding.change])
        yield Fault(finding.column, finding.change, finding.name, words)
    elif finding.signal == "data" and finding.p_value is None:
        yield Fault(finding.column, "type", finding.name, _told(finding, "another type"))
    elif finding.signal == "quality" and _broken(finding):
        kind = {"missing": "nulls"}.get(finding.statistic, finding.statistic)
        yield Fault(finding.column, kind, finding.name, _told(finding, _BROKEN[finding.statistic]))


def _broken(finding: Finding) -> bool:
    """Whether the world alone would not do this to the data's quality."""
    if finding.statistic == "missing":  # fewer gaps than usual are no fault
        return finding.value is None or finding.value > (finding.expected or 0.0)
    if finding.statistic == "range":  # a world that moves leaves the range it had
        return finding.change != "shift"
    return finding.statistic in _BROKEN


def _told(finding: Finding, words: str) -> str:
    where = f"{finding.column}: " if finding.column else ""
    factor = (
        f" (times {finding.factor:.4g})" if finding.change == "scale" and finding.factor else ""
    )
    note = f", {finding.note}" if finding.note else ""
    return f"{where}{words}{factor}{note}"
