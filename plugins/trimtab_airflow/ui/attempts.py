"""Record answers that Airflow itself refuses: its own event log shows them like accepted ones."""

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from http.cookies import SimpleCookie
from typing import Any

from trimtab.errors import TrimtabError

log = logging.getLogger(__name__)
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]
_FORM = re.compile(
    r"/api/v2/dags/(?P<model>[a-z][a-z0-9_]*)\.train/dagRuns/(?P<run>[^/]+)"
    r"/taskInstances/approve(_second)?/-?\d+/hitlDetails$"
)
_WHY = {
    403: "was not asked: not listed, the one who started the run, or without the right to answer",
    409: "was too late: the form had been answered",
}
_LONGEST = 65_536  # bytes of an answer that are looked at


async def watched(app: App, scope: Message, receive: Receive, send: Send) -> None:
    """Let the application answer; then record the attempt when its answer was a refusal."""
    form = _FORM.search(scope["path"])
    if form is None:
        await app(scope, receive, send)
        return
    body, status = bytearray(), 0

    async def hear() -> Message:
        message = await receive()
        if len(body) < _LONGEST:
            body.extend(message.get("body", b""))
        return message

    async def tell(message: Message) -> None:
        nonlocal status
        status = message.get("status", status)
        await send(message)

    await app(scope, hear, tell)
    if why := _WHY.get(status):
        await _keep(form, scope, bytes(body), why)


async def _keep(form: re.Match[str], scope: Message, body: bytes, why: str) -> None:
    """Never raises: the answer has been given, and it was the right one."""
    try:
        actor = await _who({k.decode().lower(): v.decode("latin-1") for k, v in scope["headers"]})
        await asyncio.to_thread(record, form["model"], form["run"], _yes(body), actor, why)
    except Exception as error:
        log.warning("a refused answer to %s could not be recorded: %s", form["model"], error)


async def _who(headers: Mapping[str, str]) -> str:
    """Name the user as Airflow does: the token in the header goes before the cookie."""
    from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN
    from airflow.api_fastapi.core_api.security import resolve_user_from_token

    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE_NAME_JWT_TOKEN)
        token = cookie.value if cookie else ""
    return (await resolve_user_from_token(token)).get_name()


def _yes(body: bytes) -> bool:
    try:
        return bool(json.loads(body).get("chosen_options") == ["Approve"])
    except (ValueError, AttributeError):
        return False


def record(model: str, run: str, approved: bool, actor: str, why: str) -> None:
    """Write the attempt into the ledger, when the run has asked a question of ours.

    Raises:
        TrimtabError: the ledger does not answer, or the configuration cannot be read.
    """
    from trimtab.environment import open_environment
    from trimtab.ledger import approvals

    env = open_environment()
    question = approvals.asked_by_run(env.ledger, model, run)
    if question is None:
        raise TrimtabError(f"the run {run} has asked nobody")
    approvals.refuse(env.ledger, model, question.version, approved=approved, actor=actor, why=why)
    env.ledger.engine.dispose()
