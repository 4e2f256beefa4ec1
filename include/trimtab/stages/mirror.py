"""Tell the tracking server what the ledger decided. It is a mirror: its absence only warns."""

import logging
from collections.abc import Callable

from trimtab.environment import Environment

log = logging.getLogger(__name__)


def mirrored(env: Environment, what: str, call: Callable[[], object]) -> bool:
    """Call the tracker; what it cannot take now is reported and left to be repaired later."""
    try:
        call()
    except Exception as error:  # any failure of a mirror must not undo a decision
        log.debug("mirroring failed", exc_info=True)
        env.notifier.send("warning", f"tracking did not take {what}", str(error))
        return False
    return True
