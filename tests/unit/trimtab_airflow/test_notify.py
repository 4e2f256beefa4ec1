"""Messages reach the channels somebody has set up; one that is broken stops neither work nor others."""

import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any

import pytest

from trimtab_airflow.notify import ChannelNotifier, FailureNotifier


@pytest.fixture
def posted() -> Iterator[tuple[str, list[tuple[str, dict[str, Any]]]]]:
    """A web server that keeps what is posted to it; its address and the posts."""
    posts: list[tuple[str, dict[str, Any]]] = []

    class Keep(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posts.append(
                (self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            )
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Keep) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", posts
        server.shutdown()


@pytest.fixture
def mails() -> Iterator[tuple[int, list[str]]]:
    """As much of a mail server as one message needs; its port and the messages."""
    texts: list[str] = []

    class Keep(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 ready\r\n")
            while line := self.rfile.readline():
                word = line.split()[0].upper()
                self.wfile.write({b"DATA": b"354 go on\r\n"}.get(word, b"250 ok\r\n"))
                if word == b"DATA":
                    rows = iter(self.rfile.readline, b".\r\n")
                    texts.append(b"".join(rows).decode())
                    self.wfile.write(b"250 ok\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Keep) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], texts
        server.shutdown()


def connect(monkeypatch: pytest.MonkeyPatch, name: str, **fields: Any) -> None:
    monkeypatch.setenv(
        f"AIRFLOW_CONN_{name.upper()}", json.dumps({"conn_type": "generic", **fields})
    )


def test_every_channel_gets_the_message(
    monkeypatch: pytest.MonkeyPatch, posted: Any, mails: tuple[int, list[str]]
) -> None:
    address, posts = posted
    port, texts = mails
    connect(monkeypatch, "trimtab_webhook", host=f"{address}/hook")
    connect(monkeypatch, "trimtab_slack", host=f"{address}/services", password="T/B/secret")
    connect(
        monkeypatch,
        "trimtab_smtp",
        host="127.0.0.1",
        port=port,
        extra=json.dumps({"from": "a@example.org", "to": "b@example.org", "disable_tls": True}),
    )
    ChannelNotifier(f"{address}/environment").send("warning", "late drifts", "weather", rows=3)
    plain = {"severity": "warning", "title": "late drifts", "text": "weather", "rows": 3}
    assert posts == [
        ("/environment", plain),
        ("/hook", plain),
        ("/services/T/B/secret", {"text": "*late drifts*\nweather"}),
    ]
    assert "Subject: late drifts" in texts[0]
    assert "To: b@example.org" in texts[0]


def test_a_broken_channel_stops_neither_the_work_nor_the_others(
    monkeypatch: pytest.MonkeyPatch, posted: Any, caplog: pytest.LogCaptureFixture
) -> None:
    address, posts = posted
    connect(monkeypatch, "trimtab_webhook", host="http://127.0.0.1:9")
    connect(monkeypatch, "trimtab_slack", host=address)
    ChannelNotifier().send("info", "title")
    assert len(posts) == 1
    assert "trimtab_webhook did not take 'title'" in caplog.text


def test_a_task_that_failed_names_itself_and_its_log(
    monkeypatch: pytest.MonkeyPatch, posted: Any
) -> None:
    address, posts = posted
    connect(monkeypatch, "trimtab_webhook", host=address)
    task = SimpleNamespace(dag_id="late.train", task_id="train", run_id="r1", log_url="http://log")
    FailureNotifier().notify({"ti": task, "exception": ValueError("no")})  # type: ignore[typeddict-item]
    ((_, message),) = posts
    assert message == {
        "severity": "error",
        "title": "late.train: task train failed",
        "text": "no",
        "run_id": "r1",
        "log_url": "http://log",
    }
