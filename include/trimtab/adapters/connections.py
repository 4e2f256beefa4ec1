"""Named connections: addresses with credentials, kept outside of every file and every message.

A connection is what Airflow calls one: a kind, host, port, login, password, schema and extra
values, written as a URI (``postgresql://me:secret@host/db``) or as JSON
(``{"conn_type": "aws", "login": "…", "password": "…", "extra": {"endpoint_url": "…"}}``).
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from trimtab.errors import TrimtabError

_PREFIXES = ("TRIMTAB_CONN_", "AIRFLOW_CONN_")


class UnknownConnectionError(TrimtabError):
    """No connection of this name, or one that cannot be read; says where it may be put."""


@dataclass(frozen=True)
class Connection:
    """Where a server is and how to log in. Its printed form holds no secret."""

    name: str
    kind: str
    host: str | None = None
    port: int | None = None
    schema: str | None = None
    login: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def hidden(self, text: str) -> str:
        """Return ``text`` without the secrets of this connection."""
        for secret in filter(None, (self.password, *self._secret_extras())):
            text = text.replace(secret, "***")
        return text

    def _secret_extras(self) -> list[str]:
        names = ("password", "secret", "token", "key")
        return [str(v) for k, v in self.extra.items() if any(name in k.lower() for name in names)]


Connections = Callable[[str], Connection]


def from_environment(name: str) -> Connection:
    """Read ``TRIMTAB_CONN_<NAME>``, else ``AIRFLOW_CONN_<NAME>``.

    Raises:
        UnknownConnectionError: neither is set, or its value is no URI and no JSON object.
    """
    for variable in (f"{prefix}{name.upper()}" for prefix in _PREFIXES):
        if text := os.environ.get(variable):
            try:
                return parse(name, text)
            except (ValueError, TypeError, AttributeError):
                message = f"{variable} is neither a connection's URI nor its JSON; correct it"
            raise UnknownConnectionError(message)  # not from: the cause may quote the secret
    raise UnknownConnectionError(
        f"there is no connection {name!r}; set TRIMTAB_CONN_{name.upper()}, or add it in Airflow"
    )


def parse(name: str, text: str) -> Connection:
    """Read a connection in one of its two forms."""
    return _from_json(name, json.loads(text)) if text.lstrip()[:1] == "{" else _from_uri(name, text)


def _from_json(name: str, values: Mapping[str, Any]) -> Connection:
    extra = values.get("extra") or {}
    return Connection(
        name=name,
        kind=values.get("conn_type", ""),
        host=values.get("host"),
        port=int(values["port"]) if values.get("port") else None,
        schema=values.get("schema"),
        login=values.get("login"),
        password=values.get("password"),
        extra=json.loads(extra) if isinstance(extra, str) else extra,
    )


def _from_uri(name: str, text: str) -> Connection:
    parts = urlsplit(text)
    if not parts.scheme:
        raise ValueError("no scheme")
    extra = dict(parse_qsl(parts.query, keep_blank_values=True))
    return Connection(
        name=name,
        kind=parts.scheme,
        host=unquote(parts.hostname) if parts.hostname else None,
        port=parts.port,
        schema=unquote(parts.path[1:]) or None,
        login=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        extra=json.loads(extra["__extra__"]) if "__extra__" in extra else extra,
    )
