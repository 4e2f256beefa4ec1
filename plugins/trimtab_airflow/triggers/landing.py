"""Watch a landing folder: a cheap listing every second, the ledger only when it changed."""

import asyncio
import fnmatch
import logging
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from trimtab.paths import default_home

if TYPE_CHECKING:
    from trimtab.environment import Environment

log = logging.getLogger(__name__)

# An event in its first moments can reach the scheduler before it has read that the task deferred.
_QUIET_START = 2.0
# The doorbell may be lost; a file that cannot be ingested must not ring for ever.
_RING_AGAIN, _RING_AGAIN_AT_MOST = 30.0, 900.0
_AFTER_FAILURE = 5.0

Listing = frozenset[tuple[str, int, int]]


class LandingTrigger(BaseEventTrigger):
    """Fires when files of a dataset are complete and the ledger has not judged them.

    Args:
        dataset: name of the dataset.
        uri: its landing folder, absolute or relative to the home folder. This and the next two
            are repeated here so that Airflow starts a new trigger when the file changes them.
        pattern: glob of the files.
        settle: seconds a file must have been still.
        poll: seconds between two looks at the folder.
    """

    def __init__(
        self,
        *,
        dataset: str,
        uri: str,
        pattern: str = "*.csv",
        settle: float = 2.0,
        poll: float = 1.0,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.dataset = dataset
        self.uri = uri
        self.pattern = pattern
        self.settle = settle
        self.poll = poll
        self._environment: Environment | None = None

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what another triggerer needs to go on: plain values, no machine's paths."""
        names = ("dataset", "uri", "pattern", "settle", "poll")
        path = f"{LandingTrigger.__module__}.{LandingTrigger.__qualname__}"
        return path, {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Ring when the pending files change, and again, ever more rarely, while they stay."""
        await asyncio.sleep(_QUIET_START)
        seen = announced = Listing()
        ring_at, wait = 0.0, _RING_AGAIN
        while True:
            listing = await self._listed(seen)
            due = bool(announced) and time.monotonic() >= ring_at
            if listing != seen or due:
                pending = await self._pending()
                if pending is None:
                    await asyncio.sleep(_AFTER_FAILURE)
                    continue
                seen = listing
                if pending != announced or due:
                    again = pending == announced
                    wait = min(wait * 2, _RING_AGAIN_AT_MOST) if again else _RING_AGAIN
                    announced, ring_at = pending, time.monotonic() + wait
                    if pending:
                        yield TriggerEvent(self._payload(pending))  # type: ignore[no-untyped-call]
            await asyncio.sleep(self.poll)

    async def _listed(self, before: Listing) -> Listing:
        """List the settled files; a folder that does not answer looks as it did before."""
        try:
            return await asyncio.to_thread(settled, self._folder(), self.pattern, self.settle)
        except OSError as error:
            log.warning("the landing folder of %s does not answer: %s", self.dataset, error)
            return before

    async def _pending(self) -> Listing | None:
        """Ask the ledger; None when it does not answer, so that the next look asks again."""
        try:
            return await asyncio.to_thread(self._discover)
        except Exception:
            log.exception("cannot tell what is new for %s; trying again", self.dataset)
            self._environment = None
            return None

    def _discover(self) -> Listing:
        from trimtab.environment import open_environment
        from trimtab.stages.ingest import discover

        self._environment = self._environment or open_environment()
        files = discover(self._environment, self.dataset)
        return frozenset((file.name, file.size, file.mtime_ns) for file in files)

    def _folder(self) -> Path:
        return default_home() / self.uri

    def _payload(self, pending: Listing) -> dict[str, Any]:
        return {"dataset": self.dataset, "files": sorted(name for name, _, _ in pending)}


def settled(folder: Path, pattern: str, still_for: float) -> Listing:
    """List name, size and modification time of files that have been still for a while."""
    if not folder.is_dir():
        return Listing()
    before = time.time_ns() - int(still_for * 1e9)
    found: list[tuple[str, int, int]] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if not fnmatch.fnmatch(entry.name, pattern):
                continue
            try:
                stat = entry.stat()
            except FileNotFoundError:  # moved away between listing and looking
                continue
            if entry.is_file() and stat.st_mtime_ns <= before:
                found.append((entry.name, stat.st_size, stat.st_mtime_ns))
    return frozenset(found)
