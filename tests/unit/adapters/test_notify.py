"""Messages from any process: signed for a webhook, addressed in an e-mail, never in the way."""

import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from trimtab.adapters.notify import Notifier
from trimtab.adapters.signature import Verifier
from trimtab.errors import NotAllowedError

SECRET = "a secret of thirty-two characters"
TO = ("ana@example.org", "ben")
Posts = list[tuple[bytes, dict[str, str]]]


@pytest.fixture
def posted() -> Iterator[tuple[str, Posts]]:
    """A web server that keeps what is posted to it: its address, and body with headers."""
    posts: Posts = []

    class Keep(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            posts.append((body, dict(self.headers)))
            self.send_response(500 if self.path.startswith("/broken") else 204)
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Keep) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", posts
        server.shutdown()


@pytest.fixture
def mails() -> Iterator[tuple[int, list[str]]]:
    """As much of a mail server as one message needs; its port and what was said to it."""
    said: list[str] = []

    class Keep(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 ready\r\n")
            while line := self.rfile.readline():
                said.append(line.decode())
                word = line.split()[0].upper()
                self.wfile.write({b"DATA": b"354 go on\r\n"}.get(word, b"250 ok\r\n"))
                if word == b"DATA":
                    said.append(b"".join(iter(self.rfile.readline, b".\r\n")).decode())
                    self.wfile.write(b"250 ok\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Keep) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], said
        server.shutdown()


def connect(monkeypatch: pytest.MonkeyPatch, name: str, **fields: Any) -> None:
    monkeypatch.setenv(f"TRIMTAB_CONN_{name.upper()}", json.dumps(fields))


def test_a_webhook_with_a_secret_is_signed(monkeypatch: pytest.MonkeyPatch, posted: Any) -> None:
    address, posts = posted
    connect(monkeypatch, "trimtab_webhook", host=f"{address}/hook", password=SECRET)
    Notifier().send("info", "buys version 1 waits", to=TO)
    Notifier().send("info", "buys version 1 waits", to=TO)
    (body, headers), again = posts
    assert json.loads(body)["to"] == list(TO)
    verifier = Verifier(SECRET)
    verifier.verify(body, headers)
    verifier.verify(*again)  # the same words are another message
    with pytest.raises(NotAllowedError, match="replay"):
        verifier.verify(body, headers)
    with pytest.raises(NotAllowedError, match="does not fit"):
        Verifier("guessed").verify(body, headers)
    assert SECRET not in body.decode() + str(headers)


def test_the_webhook_of_the_environment_is_signed_with_its_own_secret(
    monkeypatch: pytest.MonkeyPatch, posted: Any
) -> None:
    address, posts = posted
    Notifier(address).send("info", "unsigned")
    assert "webhook-signature" not in {name.lower() for name in posts[0][1]}
    monkeypatch.setenv("TRIMTAB_WEBHOOK_SECRET", SECRET)
    Notifier(address).send("info", "signed")
    Verifier(SECRET).verify(*posts[1])


def test_who_has_an_address_gets_an_e_mail(
    monkeypatch: pytest.MonkeyPatch, mails: tuple[int, list[str]]
) -> None:
    port, said = mails
    extra = {"from": "trimtab@example.org", "to": "team@example.org", "disable_tls": "true"}
    connect(monkeypatch, "trimtab_smtp", host="127.0.0.1", port=port, extra=extra)
    Notifier().send("info", "buys version 1\nBcc: evil@example.org", "No answer is a no.", to=TO)
    text = "".join(said)
    assert "To: team@example.org, ana@example.org" in text
    assert "Subject: buys version 1 Bcc: evil@example.org" in text
    assert [line.split(":")[1].strip() for line in said if line.upper().startswith("RCPT")] == [
        "<team@example.org>",
        "<ana@example.org>",
    ]


def test_without_anybody_to_write_to_no_e_mail_is_sent(
    monkeypatch: pytest.MonkeyPatch, mails: tuple[int, list[str]]
) -> None:
    port, said = mails
    extra = {"from": "trimtab@example.org", "disable_tls": True}
    connect(monkeypatch, "trimtab_smtp", host="127.0.0.1", port=port, extra=extra)
    Notifier().send("info", "title", to=("ben",))
    assert said == []


def test_a_mail_server_without_encryption_gets_nothing_unless_it_may(
    monkeypatch: pytest.MonkeyPatch, mails: tuple[int, list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    port, said = mails
    extra = {"from": "trimtab@example.org", "to": "team@example.org"}
    connect(monkeypatch, "trimtab_smtp", host="127.0.0.1", port=port, extra=extra)
    Notifier().send("info", "title")
    assert "trimtab_smtp did not take 'title'" in caplog.text
    assert not any(line.startswith("DATA") for line in said)


def test_a_broken_channel_is_logged_without_its_secret(
    monkeypatch: pytest.MonkeyPatch, posted: Any, caplog: pytest.LogCaptureFixture
) -> None:
    address, posts = posted
    connect(monkeypatch, "trimtab_slack", host=f"{address}/broken", password="T/B/token")
    connect(monkeypatch, "trimtab_webhook", host=f"{address}/broken", password=SECRET)
    Notifier("http://127.0.0.1:9").send("error", "title")
    assert len(posts) == 2
    assert caplog.text.count("did not take 'title'") == 3
    assert SECRET not in caplog.text
    assert "token" not in caplog.text


ABOUT = {"dedup_key": "abc", "incident": "abc", "links": {"report": "http://air/page"}}


def bodies(posts: Posts) -> list[dict[str, Any]]:
    return [json.loads(body) for body, _ in posts]


def test_a_pager_is_rung_by_errors_and_told_when_it_is_over(
    monkeypatch: pytest.MonkeyPatch, posted: Any
) -> None:
    address, posts = posted
    connect(monkeypatch, "trimtab_pagerduty", host=f"{address}/v2/enqueue", password="the-key")
    Notifier().send("warning", "one: concept drift", "not for the night", **ABOUT)
    assert posts == []
    Notifier().send("error", "one: upstream fault", "call them", to=TO, **ABOUT)
    Notifier().send("info", "resolved", "fine", opened="error", resolved=True, **ABOUT)
    Notifier().send("info", "resolved", "fine", opened="warning", resolved=True, **ABOUT)
    rung, over = bodies(posts)
    assert rung["payload"] == {
        "summary": "one: upstream fault",
        "source": "trimtab",
        "severity": "error",
        "custom_details": {"text": "call them", "to": list(TO)},
    }
    assert rung["links"] == [{"href": "http://air/page", "text": "report"}]
    assert (rung["event_action"], over["event_action"]) == ("trigger", "resolve")
    assert rung["dedup_key"] == over["dedup_key"] == "trimtab-abc"
    assert rung["routing_key"] == over["routing_key"] == "the-key"
    assert set(over) == {"routing_key", "event_action", "dedup_key"}


def test_a_channel_says_from_which_severity_on_it_wants_to_hear(
    monkeypatch: pytest.MonkeyPatch, posted: Any, caplog: pytest.LogCaptureFixture
) -> None:
    address, posts = posted
    connect(monkeypatch, "trimtab_slack", host=address, extra={"severity": "warning"})
    connect(monkeypatch, "trimtab_webhook", host=address, extra={"severity": "loud"})
    Notifier().send("info", "quiet")
    Notifier().send("warning", "loud")
    assert [body["text"] for body in bodies(posts)] == ["*loud*"]
    assert "severity 'loud' in its extra is none of info, warning, error" in caplog.text


def test_slack_gets_links_and_no_mention_from_the_data(
    monkeypatch: pytest.MonkeyPatch, posted: Any
) -> None:
    address, posts = posted
    connect(monkeypatch, "trimtab_slack", host=address)
    Notifier().send("warning", "<!channel> & co", "<http://evil|click>", **ABOUT)
    assert bodies(posts)[0]["text"] == (
        "*&lt;!channel&gt; &amp; co*\n&lt;http://evil|click&gt;\n<http://air/page|report>"
    )


def test_the_same_word_on_the_same_thing_is_the_same_message(
    monkeypatch: pytest.MonkeyPatch, posted: Any
) -> None:
    """A receiver drops what a run that was killed and began again has sent twice."""
    address, posts = posted
    connect(monkeypatch, "trimtab_webhook", host=address, password=SECRET)
    for text in ("call them", "call them", "it is worse"):
        Notifier().send("error", "one: upstream fault", text, **ABOUT)
    first, again, other = ({k.lower(): v for k, v in h.items()}["webhook-id"] for _, h in posts)
    assert first == again != other
    verifier = Verifier(SECRET)
    verifier.verify(*posts[0])
    with pytest.raises(NotAllowedError, match="replay"):
        verifier.verify(*posts[1])


def test_an_e_mail_belongs_to_its_incident_and_has_the_links(
    monkeypatch: pytest.MonkeyPatch, mails: tuple[int, list[str]]
) -> None:
    port, said = mails
    extra = {"from": "trimtab@example.org", "disable_tls": "true"}
    connect(monkeypatch, "trimtab_smtp", host="127.0.0.1", port=port, extra=extra)
    Notifier().send("error", "one: upstream fault", "call them", to=TO, **ABOUT)
    text = "".join(said)
    assert "References: <abc@trimtab>" in text
    assert "report: http://air/page" in text
