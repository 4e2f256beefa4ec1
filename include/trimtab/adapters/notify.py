"""Messages to people: always the log, and every channel somebody has set up. Never raises.

Channels are connections, so that their secrets stay out of files: ``trimtab_webhook`` (JSON by
HTTP POST, signed with its password), ``trimtab_slack`` (incoming webhook), ``trimtab_smtp``
(``from`` and ``to`` in its extra) and ``trimtab_pagerduty`` (its password is the routing key).
``severity`` in the extra is the least a channel passes on. The webhook of the environment file
is used as well; it is signed when ``TRIMTAB_WEBHOOK_SECRET`` is set.
"""

import functools
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from trimtab.adapters import channels
from trimtab.adapters.connections import (
    Connection,
    Connections,
    UnknownConnectionError,
    from_environment,
)

log = logging.getLogger(__name__)
Severity = Literal["info", "warning", "error"]
SECRET = "TRIMTAB_WEBHOOK_SECRET"  # noqa: S105 the variable's name
_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class Notifier:
    """Says what happened. A message that cannot be delivered is logged, never raised."""

    def __init__(
        self, webhook: str | None = None, connections: Connections = from_environment
    ) -> None:
        self.webhook = webhook
        self.connections = connections

    def send(
        self,
        severity: Severity,
        title: str,
        text: str = "",
        *,
        to: Sequence[str] = (),
        **facts: Any,
    ) -> None:
        """Log the message and pass it to every channel there is.

        Args:
            severity: how loud it is.
            title: what happened, in one line.
            text: the details.
            to: whom it concerns; those that are addresses get an e-mail of their own.
            facts: more, see `trimtab.adapters.channels`: ``links``, ``dedup_key``, ``resolved``.
        """
        log.log(_LEVELS[severity], "%s %s", title, text)
        message: dict[str, Any] = {"severity": severity, "title": title, "text": text, **facts}
        message |= {"to": list(to)} if to else {}
        for name, send in self._ways():
            try:
                send(message)
            except Exception as error:  # a message must not stop the work it is about
                log.warning("%s did not take %r: %s", name, title, error)

    def _ways(self) -> Iterator[tuple[str, Callable[[channels.Message], None]]]:
        if self.webhook:
            post = functools.partial(channels.post, self.webhook, secret=os.environ.get(SECRET))
            yield "the environment's webhook", post
        for name, send in channels.CHANNELS.items():
            try:
                connection = self.connections(name)
            except UnknownConnectionError:
                continue  # nobody has set it up
            yield name, functools.partial(_send, name, send, connection)


def _send(
    name: str,
    send: Callable[[Connection, channels.Message], None],
    connection: Connection,
    message: channels.Message,
) -> None:
    if channels.wanted(name, connection, message):
        send(connection, message)
