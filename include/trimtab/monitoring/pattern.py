"""One window and what was before it, as the rules of triage see it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from trimtab.config import ModelSpec
from trimtab.monitoring import detect, faults, looks
from trimtab.monitoring.history import History
from trimtab.watch import Alarm, Finding, Observation, Signal


@dataclass(frozen=True)
class Pattern:
    """The newest window as the rules see it."""

    history: History
    spec: ModelSpec
    now: datetime | None

    @cached_property
    def windows(self) -> list[Observation]:
        """Windows up to the one to explain, which is the last, as they are known best."""
        known = looks.merged(self.history.observations)
        mine = next(i for i, o in enumerate(known) if o.sha256 == self.history.newest.sha256)
        return known[: mine + 1]

    @property
    def window(self) -> Observation:
        """The window to explain."""
        return self.windows[-1]

    @property
    def later(self) -> bool:
        """Whether only its labels have come since it was explained first."""
        return self.window.labels_at is not None

    @cached_property
    def faulty(self) -> frozenset[str]:
        """Files whose numbers a fault of the source has made."""
        return faults.files(self.history)

    @cached_property
    def sound(self) -> list[Observation]:
        """Windows of this version without such a fault, the one to explain last."""
        mine = [o for o in self.windows[:-1] if o.version == self.window.version]
        return [*(o for o in mine if o.sha256 not in self.faulty), self.window]

    @cached_property
    def alarms(self) -> dict[Signal, Alarm]:
        """Alarms that stand when windows with a fault do not count."""
        found = self.window.alarm
        if any(o.sha256 in self.faulty for o in self.windows[:-1]):
            found = detect.alarms(self.sound[:-1], self.window, self.spec.monitor)
        return {alarm.signal: alarm for alarm in found}

    def moved(self, *signals: Signal) -> list[Finding]:
        """Findings of the window that moved, of these signals."""
        return [f for f in self.window.findings if f.status == "moved" and f.signal in signals]

    def loud(self, *signals: Signal) -> list[Alarm]:
        """Alarms of these signals."""
        return [self.alarms[signal] for signal in signals if signal in self.alarms]

    def first(self, alarms: Iterable[Alarm]) -> Observation:
        """The window from which on one of the signals has moved in every window.

        Not by the alarm's own word: several files may be of one partition.
        """
        signals = {alarm.signal for alarm in alarms}
        calm = [
            not any(f.signal in signals and f.status == "moved" for f in o.findings)
            for o in self.sound
        ]
        return self.sound[max((i + 1 for i, yes in enumerate(calm[:-1]) if yes), default=0)]
