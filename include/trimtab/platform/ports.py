"""Which port a page is served on: the given one, else the last one, else a usual one, else any."""

import json
import socket
from collections.abc import Mapping
from pathlib import Path

from trimtab.errors import TrimtabError

HOST = "127.0.0.1"
USUAL = {"airflow": 8080, "mlflow": 5000}


def choose(home: Path, given: Mapping[str, int | None]) -> dict[str, int]:
    """Return a free port per page and remember it, so that addresses stay from day to day.

    Raises:
        TrimtabError: a port somebody asked for is taken.
    """
    file = home / "ports.json"
    last = json.loads(file.read_text()) if file.exists() else {}
    ports: dict[str, int] = {}
    for page, usual in USUAL.items():
        ports[page] = _one(page, given.get(page), (last.get(page), usual), ports)
    file.write_text(json.dumps(ports))
    return ports


def is_free(port: int) -> bool:
    """Whether nobody listens on ``port`` here."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _one(
    page: str, given: int | None, wished: tuple[int | None, ...], taken: Mapping[str, int]
) -> int:
    if given:
        if given in taken.values() or not is_free(given):
            raise TrimtabError(f"port {given} for {page} is taken; give another or none at all")
        return given
    for port in wished:
        if port and port not in taken.values() and is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
