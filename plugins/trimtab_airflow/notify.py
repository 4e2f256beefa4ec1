"""Messages to people: always the log, and every channel somebody has set up. Never raises.

Channels are Airflow connections, so that their secrets stay there: ``trimtab_webhook`` (JSON by
HTTP POST), ``trimtab_slack`` (incoming webhook) and ``trimtab_smtp`` (``from`` and ``to`` in its
extra). The webhook of the environment file is used as well.
"""

import json
import logging
import smtplib
import urllib.request
from collections.abc import Callable
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseNotifier

from trimtab.adapters.notify import Notifier, Severity
from trimtab.errors import TrimtabError

if TYPE_CHECKING:
    from airflow.sdk import Connection, Context

log = logging.getLogger(__name__)
_SECONDS = 10
Message = dict[str, Any]


class FailureNotifier(BaseNotifier):
    """Tells people that a task has failed for good: which, why, and where its log is."""

    def notify(self, context: "Context") -> None:
        """Send the message; called by Airflow in the worker."""
        task = context["ti"]
        error = str(context.get("exception") or context.get("reason") or "no reason given")
        title = f"{task.dag_id}: task {task.task_id} failed"
        facts = {"run_id": task.run_id, "log_url": getattr(task, "log_url", None)}
        ChannelNotifier(_environment_webhook()).send("error", title, error, **facts)


class ChannelNotifier(Notifier):
    """Takes a stage's messages inside Airflow: the environment's way, then every channel."""

    def send(self, severity: Severity, title: str, text: str = "", **facts: Any) -> None:
        """Log the message and pass it to every channel there is, with the facts."""
        super().send(severity, title, text)
        message: Message = {"severity": severity, "title": title, "text": text, **facts}
        for connection_id, send in _CHANNELS.items():
            try:
                if connection := _connection(connection_id):
                    send(connection, message)
            except Exception as error:
                log.warning("%s did not take %r: %s", connection_id, title, error)


def _environment_webhook() -> str | None:
    from trimtab.config.loader import load_environment
    from trimtab.paths import default_config, default_environment

    try:
        return load_environment(default_config(), default_environment()).notify.webhook
    except TrimtabError as error:
        log.warning("the environment file names no webhook: %s", error)
        return None


def _connection(connection_id: str) -> "Connection | None":
    """Return the connection, or None when there is no such one or nobody to ask for it."""
    from airflow.sdk import Connection

    try:
        found: Connection = Connection.get(connection_id)
    except Exception:  # Airflow raises different types in a task, in a callback, outside of both
        return None
    return found


def _webhook(connection: "Connection", message: Message) -> None:
    _post(_url(connection), message)


def _slack(connection: "Connection", message: Message) -> None:
    token = f"/{connection.password}" if connection.password else ""
    text = f"*{message['title']}*\n{message['text']}"
    _post(_url(connection).rstrip("/") + token, {"text": text})


def _mail(connection: "Connection", message: Message) -> None:
    extra = connection.extra_dejson
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = message["title"], extra["from"], extra["to"]
    mail.set_content("\n".join(f"{name}: {value}" for name, value in message.items()))
    with smtplib.SMTP(connection.host or "localhost", connection.port or 25, timeout=_SECONDS) as s:
        if not extra.get("disable_tls"):
            s.starttls()
        if connection.login:
            s.login(connection.login, connection.password or "")
        s.send_message(mail)


def _url(connection: "Connection") -> str:
    host = connection.host or ""
    if host.startswith(("http://", "https://")):
        return host
    port = f":{connection.port}" if connection.port else ""
    return f"{connection.schema or 'https'}://{host}{port}"


def _post(url: str, body: Message) -> None:
    request = urllib.request.Request(  # noqa: S310 the address is the administrator's own
        url, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=_SECONDS):  # noqa: S310
        pass


_CHANNELS: dict[str, Callable[[Any, Message], None]] = {
    "trimtab_webhook": _webhook,
    "trimtab_slack": _slack,
    "trimtab_smtp": _mail,
}
