"""How one message gets out: a webhook, Slack, e-mail. Each raises when it does not."""

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
Message = Mapping[str, Any]


def post(url: str, body: Message, secret: str | None = None) -> None:
    """Post JSON, signed when there is a secret.

    Raises:
        OSError: the address did not take it.
    """
    data, headers = json.dumps(body).encode(), {"Content-Type": "application/json"}
    if secret:
        at = int(SystemClock().now().timestamp())
        headers |= signature.signed(data, secret, message=f"msg_{uuid.uuid4().hex}", at=at)
    request = urllib.request.Request(url, data=data, headers=headers)  # noqa: S310 the operator's own
    with urllib.request.urlopen(request, timeout=_SECONDS):  # noqa: S310
        pass


def webhook(connection: Connection, message: Message) -> None:
    """Post the whole message; the connection's password is the secret it is signed with."""
    post(_url(connection), message, connection.password)


def slack(connection: Connection, message: Message) -> None:
    """Post title and text to an incoming webhook of Slack; its token may be the password."""
    token = f"/{connection.password}" if connection.password else ""
    text = f"*{message['title']}*\n{message['text']}"
    post(_url(connection).rstrip("/") + token, {"text": text})


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
    return mail


def _text(value: Any) -> str:
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
}
