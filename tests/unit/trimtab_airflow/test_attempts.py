"""Answers that Airflow refuses are recorded with the name; all other requests pass untouched."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from trimtab.environment import Environment
from trimtab.ledger import approvals
from trimtab_airflow.ui import attempts

PATH = "/api/v2/dags/buys.train/dagRuns/r1/taskInstances/approve/-1/hitlDetails"
YES = {"chosen_options": ["Approve"], "params_input": {"reason": ""}}
Heard = list[tuple[Any, ...]]


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Heard:
    """What would be recorded; the user is the one of the token."""
    records: Heard = []

    async def who(headers: Any) -> str:
        return str(headers["authorization"].split()[1])

    monkeypatch.setattr(attempts, "_who", who)
    monkeypatch.setattr(attempts, "record", lambda *facts: records.append(facts))
    return records


def send(status: int, *, path: str = PATH, body: Any = YES) -> tuple[bytes, list[int]]:
    """Send one request through; return what the application got and the client's status."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    parts = [text[:9], text[9:]]
    got, statuses = bytearray(), []

    async def app(scope: Any, receive: Any, tell: Any) -> None:
        more = True
        while more:
            message = await receive()
            got.extend(message["body"])
            more = message["more_body"]
        await tell({"type": "http.response.start", "status": status, "headers": []})
        await tell({"type": "http.response.body", "body": b"{}"})

    async def receive() -> Any:
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def tell(message: Any) -> None:
        statuses.append(message.get("status"))

    scope = {"path": path, "headers": [(b"authorization", b"Bearer eve")]}
    asyncio.run(attempts.watched(app, scope, receive, tell))
    return bytes(got), statuses


@pytest.mark.parametrize(("status", "why"), [(403, "was not asked"), (409, "was too late")])
def test_a_refused_answer_is_recorded(heard: Heard, status: int, why: str) -> None:
    got, statuses = send(status)
    assert (json.loads(got), statuses) == (YES, [status, None])
    ((model, run, approved, actor, told),) = heard
    assert (model, run, approved, actor) == ("buys", "r1", True, "eve")
    assert told.startswith(why)


def test_a_refused_no_is_a_no_and_so_is_what_cannot_be_read(heard: Heard) -> None:
    send(403, body={"chosen_options": ["Reject"]})
    send(403, body=b"not even json, " * 10_000)
    send(403, body=["Approve"])
    assert [approved for _, _, approved, _, _ in heard] == [False] * 3


@pytest.mark.parametrize("status", [200, 400, 401, 404, 422, 500])
def test_an_answer_that_counts_or_means_nothing_is_not(heard: Heard, status: int) -> None:
    send(status)
    assert heard == []


@pytest.mark.parametrize(
    "path",
    [
        "/api/v2/dags/buys.train/dagRuns/r1/taskInstances/other/-1/hitlDetails",
        "/api/v2/dags/foreign/dagRuns/r1/taskInstances/approve/-1/hitlDetails",
        "/api/v2/dags/buys.train/dagRuns/r1/taskInstances/approve",
    ],
)
def test_other_requests_are_let_alone(heard: Heard, path: str) -> None:
    assert send(403, path=path)[1] == [403, None]
    assert heard == []


def test_a_ledger_that_is_away_changes_nothing_for_the_client(
    heard: Heard, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_: Any) -> None:
        raise RuntimeError("ledger away")

    monkeypatch.setattr(attempts, "record", away)
    assert send(403)[1] == [403, None]
    assert "could not be recorded: ledger away" in caplog.text


def test_the_attempt_is_about_the_version_the_run_has_asked_about(
    open_env: Callable[[dict[str, str]], Environment], monkeypatch: pytest.MonkeyPatch
) -> None:
    env = open_env({})
    when = {"asked": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z", "mode": "manual"}
    for version, run in ((3, "r1"), (4, "r2")):
        asked = {"model": "buys", "version": version, "run": run, **when}
        env.ledger.append(approvals.ASKED, "buys", str(version), asked)
    monkeypatch.setattr("trimtab.environment.open_environment", lambda: env)
    attempts.record("buys", "r1", True, "eve", "was not asked")
    attempts.record("buys", "r1", True, "eve", "was not asked")
    (attempt,) = env.ledger.events(approvals.REFUSED)
    assert (attempt.payload["version"], attempt.actor) == (3, "eve")
    with pytest.raises(Exception, match="r9 has asked nobody"):
        attempts.record("buys", "r9", True, "eve", "was not asked")
