"""How one message gets out: a webhook, Slack, e-mail, PagerDuty. Each raises when it does not.

A message has ``severity``, ``title`` and ``text``, and may have ``links`` (name -> address),
``to``, ``dedup_key`` (what has the same one is about the same thing) and ``resolved``.
"""

import hashlib
import json
import smtplib
import ssl
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from typing import Any

from trimtab.adapters import signature
from trimtab.adapters.connections import Connection
from trimtab.clock import SystemClock

_SECONDS = 10
_SMTPS = 465
_EVENTS = "https://events.pagerduty.com/v2/enqueue"
_LONGEST = 1024  # characters of a summary, and 255 of a key, that PagerDuty takes
LEVELS = ("info", "warning", "error")
Message = Mapping[str, Any]


def post(url: str, body: Message, secret: str | None = None) -> None:
    """Post JSON, signed when there is a secret.

    Raises:
        OSError: the address did not take it.
    """
    data, headers = json.dumps(body).encode(), {"Content-Type": "application/json"}
    if secret:
        at = int(SystemClock().now().timestamp())
        headers |= signature.signed(data, secret, message=_id(body), at=at)
    request = urllib.request.Request(url, data=data, headers=headers)  # noqa: S310 the operator's own
    with urllib.request.urlopen(request, timeout=_SECONDS):  # noqa: S310
        pass


def _id(body: Message) -> str:
    """The same text about the same thing is the same message: a receiver may drop the second."""
    if key := body.get("dedup_key"):
        told = [key, *(body.get(name) for name in ("severity", "title", "text"))]
        return f"msg_{hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]}"
    return f"msg_{uuid.uuid4().hex}"


def webhook(connection: Connection, message: Message) -> None:
    """Post the whole message; the connection's password is the secret it is signed with."""
    post(_url(connection), message, connection.password)


def slack(connection: Connection, message: Message) -> None:
    """Post title and text to an incoming webhook of Slack; its token may be the password."""
    token = f"/{connection.password}" if connection.password else ""
    title, text = (_plain(str(message[name])) for name in ("title", "text"))
    pages = " ".join(f"<{page}|{name}>" for name, page in message.get("links", {}).items())
    told = "\n".join(filter(None, [f"*{title}*", text, pages]))
    post(_url(connection).rstrip("/") + token, {"text": told})


def pagerduty(connection: Connection, message: Message) -> None:
    """Open or resolve an alert by PagerDuty's Events API v2; the password is the routing key.

    Other servers that speak it take the connection's host. Source of the form:
    https://developer.pagerduty.com/docs/send-alert-event
    """
    title = str(message["title"])
    key = str(message.get("dedup_key") or hashlib.sha256(title.encode()).hexdigest()[:32])
    event: dict[str, Any] = {
        "routing_key": connection.password,
        "event_action": "resolve" if message.get("resolved") else "trigger",
        "dedup_key": f"trimtab-{key}",
    }
    if not message.get("resolved"):
        event["client"] = "trimtab"
        event["links"] = [
            {"href": page, "text": name} for name, page in message.get("links", {}).items()
        ]
        event["payload"] = {
            "summary": title[:_LONGEST],
            "source": str(connection.extra.get("source") or "trimtab"),
            "severity": message["severity"],
            "custom_details": {"text": message["text"], "to": list(message.get("to", ()))},
        }
    post(_url(connection) if connection.host else _EVENTS, event)


def wanted(name: str, connection: Connection, message: Message) -> bool:
    """Whether a message is loud enough for a channel: ``severity`` of the connection's extra.

    A pager rings from errors on, every other channel says everything. That something is over is
    as loud as it was when it began.
    """
    least = str(connection.extra.get("severity") or LEAST.get(name, LEVELS[0]))
    if least not in LEVELS:
        raise ValueError(f"severity {least!r} in its extra is none of {', '.join(LEVELS)}")
    loud = str(message.get("opened") or message["severity"])
    return LEVELS.index(loud) >= LEVELS.index(least)


def mail(connection: Connection, message: Message) -> None:
    """Send an e-mail to ``to`` of the connection's extra, and to whom it concerns by address."""
    mail = _mail(connection.extra, message)
    if not mail["To"]:
        return
    server: type[smtplib.SMTP] = smtplib.SMTP_SSL if connection.port == _SMTPS else smtplib.SMTP
    with server(connection.host or "localhost", connection.port or 25, timeout=_SECONDS) as smtp:
        if server is smtplib.SMTP and not _true(connection.extra.get("disable_tls")):
            smtp.starttls(context=ssl.create_default_context())
        if connection.login:
            smtp.login(connection.login, connection.password or "")
        smtp.send_message(mail)


def _mail(extra: Mapping[str, Any], message: Message) -> EmailMessage:
    people = [name for name in message.get("to", ()) if "@" in name]
    listed = [address.strip() for address in str(extra.get("to") or "").split(",")]
    mail = EmailMessage()
    mail["Subject"] = " ".join(str(message["title"]).split())
    mail["From"] = extra["from"]
    mail["To"] = ", ".join(dict.fromkeys(filter(None, [*listed, *people])))
    mail.set_content("\n".join(f"{name}: {_text(value)}" for name, value in message.items()))
    if key := message.get("dedup_key"):  # what belongs together is shown as one conversation
        mail["References"] = f"<{key}@trimtab>"
    return mail


def _plain(text: str) -> str:
    """Text as Slack wants it: without anything that would be a link or a mention."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return "".join(f"\n  {name}: {each}" for name, each in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _true(value: Any) -> bool:
    """A flag of an extra; it is text when the connection is written as a URI."""
    return str(value).lower() in {"true", "1", "yes"}


def _url(connection: Connection) -> str:
    host = connection.host or ""
    if host.startswith(("http://", "https://")):
        return host
    port = f":{connection.port}" if connection.port else ""
    return f"{connection.schema or 'https'}://{host}{port}"


CHANNELS: dict[str, Callable[[Connection, Message], None]] = {
    "trimtab_webhook": webhook,
    "trimtab_slack": slack,
    "trimtab_smtp": mail,
    "trimtab_pagerduty": pagerduty,
}
LEAST = {"trimtab_pagerduty": "error"}
