"""Messages to people: always the log, and a webhook when one is configured."""

import json
import logging
import urllib.request
from typing import Literal

log = logging.getLogger(__name__)
Severity = Literal["info", "warning", "error"]
_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class Notifier:
    """Says what happened. A message that cannot be delivered is logged, never raised."""

    def __init__(self, webhook: str | None = None) -> None:
        self.webhook = webhook

    def send(self, severity: Severity, title: str, text: str = "") -> None:
        """Log the message and post it as JSON to the webhook."""
        log.log(_LEVELS[severity], "%s %s", title, text)
        if not self.webhook:
            return
        body = json.dumps({"severity": severity, "title": title, "text": text}).encode()
        request = urllib.request.Request(  # noqa: S310 the address is the operator's own
            self.webhook, data=body, headers={"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=10):  # noqa: S310
                pass
        except OSError as error:
            log.warning("the webhook %s did not take %r: %s", self.webhook, title, error)
