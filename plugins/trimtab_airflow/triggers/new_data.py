"""Watch the source of a dataset: a cheap look now and then, the ledger only when it changed."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from trimtab.errors import TrimtabError
from trimtab_airflow.triggers.watch import Listing, Watch

log = logging.getLogger(__name__)
T = TypeVar("T")

# An event in its first moments can reach the scheduler before it has read that the task deferred.
_QUIET_START = 2.0
# The doorbell may be lost; a file that cannot be ingested must not ring for ever.
_RING_AGAIN, _RING_AGAIN_AT_MOST = 30.0, 900.0
_AFTER_FAILURE = 5.0
# Not the event loop's own few threads: a place that hangs would hold up every trigger.
_LOOKS = ThreadPoolExecutor(32, thread_name_prefix="trimtab-look")


class NewDataTrigger(BaseEventTrigger):
    """Fires when a source has complete files that the ledger has not judged.

    Args:
        dataset: name of the dataset.
        fingerprint: of its source as the dataset's file describes it; it is here so that Airflow
            starts a new trigger when the file changes.
    """

    def __init__(self, *, dataset: str, fingerprint: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.dataset = dataset
        self.fingerprint = fingerprint

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what another triggerer needs to go on: plain values, no machine's paths."""
        path = f"{NewDataTrigger.__module__}.{NewDataTrigger.__qualname__}"
        return path, {"dataset": self.dataset, "fingerprint": self.fingerprint}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Ring when the pending files change, and again, ever more rarely, while they stay."""
        await asyncio.sleep(_QUIET_START)
        bell = _Bell()
        async for pending in self._pending(bell.due):
            if bell.rings(pending):
                payload = {"dataset": self.dataset, "files": sorted({name for name, _ in pending})}
                yield TriggerEvent(payload)  # type: ignore[no-untyped-call]

    async def _pending(self, due: Callable[[], bool]) -> AsyncIterator[Listing]:
        """Yield what is unjudged each time the listing changed, or when it is due."""
        watch, seen = None, Listing()
        while True:
            watch = watch or await self._asked(lambda: Watch(self.dataset, self.fingerprint))
            listing = await self._asked(watch.listing) if watch else None
            if watch and listing is not None and (listing != seen or due()):
                pending = await self._asked(watch.unjudged)
                listing = None if pending is None else listing
                if pending is not None:
                    yield pending
            if watch is None or listing is None:
                watch = None
                await asyncio.sleep(_AFTER_FAILURE)
            else:
                seen = listing
                await self._next_look(watch)

    async def _next_look(self, watch: Watch) -> None:
        """Wait until it is time for another look, or until the source rings."""
        if not watch.rings:
            await asyncio.sleep(watch.every)
            return
        until = time.monotonic() + watch.every
        while time.monotonic() < until:
            match await self._asked(watch.rung, watch.thread):
                case True:
                    await asyncio.sleep(watch.settle)
                    return
                case None:
                    await asyncio.sleep(_AFTER_FAILURE)

    async def _asked(
        self, look: Callable[[], T], thread: ThreadPoolExecutor | None = None
    ) -> T | None:
        """Look in a thread; None when that failed, so that it is tried again."""
        try:
            return await asyncio.get_running_loop().run_in_executor(thread or _LOOKS, look)
        except TrimtabError as error:
            log.warning("%s: %s; trying again", self.dataset, error)
        except Exception:
            log.exception("cannot tell what is new for %s; trying again", self.dataset)
        return None


class _Bell:
    """Rings for what is new at once, and for what stays ever more rarely."""

    def __init__(self) -> None:
        self.announced, self.at, self.wait = Listing(), 0.0, _RING_AGAIN

    def due(self) -> bool:
        return bool(self.announced) and time.monotonic() >= self.at

    def rings(self, pending: Listing) -> bool:
        again = pending == self.announced
        if again and not self.due():
            return False
        self.wait = min(self.wait * 2, _RING_AGAIN_AT_MOST) if again else _RING_AGAIN
        self.announced, self.at = pending, time.monotonic() + self.wait
        return bool(pending)
