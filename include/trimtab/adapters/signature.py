"""Sign what is posted to a webhook, and check what has arrived (standardwebhooks.com).

Three headers: ``webhook-id`` (once per message), ``webhook-timestamp`` (seconds since 1970) and
``webhook-signature``: ``v1,`` and the base64 of HMAC-SHA256 over ``id.timestamp.body``. Any library
of that standard can check them; `Verifier` does in Python.
"""

import base64
import binascii
import hashlib
import hmac
import threading
from collections.abc import Mapping
from datetime import timedelta

from trimtab.clock import Clock, SystemClock
from trimtab.errors import NotAllowedError, TrimtabError

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
_PREFIX = "whsec_"
TOLERANCE = timedelta(minutes=5)


def signed(body: bytes, secret: str, *, message: str, at: int) -> dict[str, str]:
    """Return the headers of a message: its ``message`` id, when it was sent, the signature."""
    signature = base64.b64encode(_digest(body, secret, message, str(at))).decode()
    return {ID: message, TIMESTAMP: str(at), SIGNATURE: f"v1,{signature}"}


class Verifier:
    """Takes every message of one sender once, and none that is altered, old or unsigned.

    It remembers the ids of the last minutes in this process; a service of several processes needs
    a store of its own for them.
    """

    def __init__(
        self, secret: str, *, tolerance: timedelta = TOLERANCE, clock: Clock | None = None
    ) -> None:
        self.secret = secret
        self.tolerance = tolerance
        self.clock = clock or SystemClock()
        self._seen: dict[str, float] = {}
        self._lock = threading.Lock()

    def verify(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Return when the message is good.

        Raises:
            NotAllowedError: no or a wrong signature, too old or too new, or seen before.
        """
        given = {name.lower(): value for name, value in headers.items()}
        message, stamp = given.get(ID, ""), given.get(TIMESTAMP, "")
        if not message or not stamp.isascii() or not stamp.isdigit():
            raise NotAllowedError(f"the message is not signed: it needs {ID} and {TIMESTAMP}")
        expected = _digest(body, self.secret, message, stamp)
        if not any(hmac.compare_digest(expected, one) for one in _given(given.get(SIGNATURE, ""))):
            raise NotAllowedError("the signature does not fit: another secret, or the body changed")
        self._take(message, int(stamp))

    def _take(self, message: str, stamp: int) -> None:
        now, span = self.clock.now().timestamp(), self.tolerance.total_seconds()
        if abs(now - stamp) > span:
            raise NotAllowedError(f"the message was sent {now - stamp:.0f} s ago; too far from now")
        with self._lock:
            self._seen = {name: at for name, at in self._seen.items() if abs(now - at) <= span}
            if message in self._seen:
                raise NotAllowedError(f"the message {message} came before; it is a replay")
            self._seen[message] = stamp


def _digest(body: bytes, secret: str, message: str, stamp: str) -> bytes:
    return hmac.new(_key(secret), f"{message}.{stamp}.".encode() + body, hashlib.sha256).digest()


def _key(secret: str) -> bytes:
    """The bytes of a secret: base64 after ``whsec_``, else the text itself."""
    if not secret:
        raise TrimtabError("the webhook's secret is empty")
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise TrimtabError("the webhook's secret is no base64 after whsec_; copy it again") from (
            error
        )


def _given(header: str) -> list[bytes]:
    """The signatures of version 1; a sender whose secret is being changed sends several."""
    found = []
    for part in header.split():
        version, _, text = part.partition(",")
        if version == "v1":
            try:
                found.append(base64.b64decode(text, validate=True))
            except (binascii.Error, ValueError):
                continue
    return found
