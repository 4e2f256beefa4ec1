"""A store that writes over objects although it was told not to: commits would be lost in silence."""

import json
import threading
from collections.abc import Callable, Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner

from trimtab.adapters.store import OverwritesError
from trimtab.cli import app
from trimtab.environment import Environment


class Careless(BaseHTTPRequestHandler):
    """As much of S3 as it takes to look like one. It never reads If-None-Match."""

    protocol_version = "HTTP/1.1"
    objects: dict[str, bytes]

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.objects[urlsplit(self.path).path] = body
        self.answer(200, b"", {"ETag": '"x"'})

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if "list-type=2" in address.query:
            prefix = f"{address.path}/{parse_qs(address.query).get('prefix', [''])[0]}"
            found = [key for key in self.objects if key.startswith(prefix)]
            items = "".join(
                f"<Contents><Key>{key.split('/', 2)[2]}</Key><Size>1</Size><ETag>x</ETag>"
                "<LastModified>2026-01-01T00:00:00Z</LastModified></Contents>"
                for key in found
            )
            self.answer(200, f"<ListBucketResult>{items}</ListBucketResult>".encode())
        elif "versioning" in address.query:
            self.answer(501, b"")
        elif address.path in self.objects:
            self.answer(200, self.objects[address.path], {"ETag": '"x"'})
        else:
            self.answer(404, b"")

    def do_HEAD(self) -> None:
        self.answer(200, b"")

    def do_DELETE(self) -> None:
        self.objects.pop(urlsplit(self.path).path, None)
        self.answer(204, b"")

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response_only(status)
        for name, value in {"Date": formatdate(usegmt=True), **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def careless(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    objects: dict[str, bytes] = {}
    handler = type("Handler", (Careless,), {"objects": objects})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }.items():
        monkeypatch.setenv(name, value)
    yield objects
    server.shutdown()
    server.server_close()


@pytest.fixture
def env(
    careless: dict[str, bytes], open_env: Callable[[dict[str, str]], Environment]
) -> Environment:
    text = "environment: local\nstore: s3://bucket/lake\n"
    return open_env({"environments/local.yaml": text})


def test_the_doctor_refuses_it(env: Environment, careless: dict[str, bytes]) -> None:
    folder = ["--config", str(env.project.folder), "--home", str(env.home)]
    result = CliRunner().invoke(app, ["doctor", "--json", *folder])
    assert result.exit_code == 1
    found = {item["what"]: item for item in json.loads(result.stdout)["findings"]}
    assert found["store commits"]["status"] == found["store races"]["status"] == "refused"
    assert "If-None-Match" in found["store commits"]["cure"]
    assert found["store credentials"]["status"] == "warn"
    assert [key for key in careless if "doctor" in key] == []


def test_nothing_is_written_there(
    env: Environment, careless: dict[str, bytes], tmp_path: Path
) -> None:
    file = tmp_path / "rows"
    file.write_bytes(b"rows")
    for write in (lambda: env.store.put("a", file), lambda: env.store.write("a", b"rows")):
        with pytest.raises(OverwritesError, match="overwrites"):
            write()
    assert list(careless) == ["/bucket/lake/.trimtab/conditional-writes"]
