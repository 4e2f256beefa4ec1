"""Which version a rollback may go to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from trimtab.environment import Environment
from trimtab.errors import GateRefusedError
from trimtab.ledger import Event, blocks, champion, versions
from trimtab.types import Champion


@dataclass(frozen=True)
class Fallback:
    """The champion, and where it can go back to.

    ``former`` are approved versions that were champion, the last one first; ``fit`` passed gate
    and approval and never served. None of them is blocked.
    """

    env: Environment
    current: Champion
    former: tuple[int, ...]
    fit: tuple[int, ...]
    blocked: Mapping[int, Event]

    @classmethod
    def of(cls, env: Environment, model: str) -> Self:
        """Read it from the ledger.

        Raises:
            GateRefusedError: there is no champion yet.
        """
        current = champion.current(env.ledger, model)
        if current is None:
            raise GateRefusedError(f"{model} has no champion yet, so there is nothing to roll back")
        blocked = blocks.standing(env.ledger, model)
        approved = {
            v for v, answer in versions.answers(env.ledger, model).items() if answer.approved
        }
        free = approved - set(blocked) - {current.version}
        past = [change.version for change in reversed(champion.history(env.ledger, model))]
        former = tuple(version for version in dict.fromkeys(past) if version in free)
        fit = tuple(sorted(free & versions.passed(env.ledger, model) - set(former), reverse=True))
        return cls(env, current, former, fit, blocked)

    def version(self, to: int | None, at: datetime | None) -> int:
        """Return the version to go to: the named one, the one of a moment, or the last good one.

        Raises:
            GateRefusedError: that cannot be; names the versions that can.
        """
        if to is not None and at is not None:
            raise GateRefusedError("name a version or a moment to go back to, not both")
        if at is not None:
            return self._named(self._served(at))
        return self._last() if to is None else self._named(to)

    def _last(self) -> int:
        if self.former:
            return self.former[0]
        model, version = self.current.model, self.current.version
        past = {c.version for c in champion.history(self.env.ledger, model)} - {version}
        why = "is the only champion there ever was"
        if past:
            gone = ", ".join(map(str, sorted(past)))
            why = f"has no champion before it that may serve (blocked or never approved: {gone})"
        raise GateRefusedError(f"{model} version {version} {why}; {self._choices()}")

    def _named(self, version: int) -> int:
        if version in self.former or version in self.fit:
            return version
        raise GateRefusedError(
            f"{self.current.model} cannot go back to version {version}: it {self._why(version)}; "
            f"{self._choices()}"
        )

    def _why(self, version: int) -> str:
        if version == self.current.version:
            return "serves now"
        if mark := self.blocked.get(version):
            return (
                f"was blocked by {mark.actor} (ledger entry {mark.seq}): {mark.payload['reason']} "
                f"(`trimtab unblock {self.current.model} {version}` lets it serve again)"
            )
        trained = self.env.ledger.events("training", self.current.model)
        known = any(event.payload["version"] == version for event in trained)
        return "was never approved" if known else "was never trained"

    def _served(self, at: datetime) -> int:
        if at.tzinfo is None:
            raise GateRefusedError(f"{at.isoformat()} names no time zone; write {at.isoformat()}Z")
        model = self.current.model
        if served := champion.at(self.env.ledger, model, at):
            return served.version
        raise GateRefusedError(
            f"{model} had no champion yet at {at.isoformat()}; {self._choices()}"
        )

    def _choices(self) -> str:
        choices = sorted({*self.former, *self.fit})
        if not choices:
            return "there is no other version fit to serve"
        return "choose one of " + ", ".join(map(str, choices))
