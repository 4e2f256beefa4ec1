"""Real servers for tests: Ceph's S3 gateway and PostgreSQL, each started once, when asked for."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_CEPH = Path(__file__).with_name("ceph.sh")


@dataclass(frozen=True)
class S3Server:
    """Where the server is and how to log in."""

    endpoint: str
    access_key: str = "trimtabkey"
    secret_key: str = "trimtabsecret"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
        }


@pytest.fixture(scope="session")
def ceph() -> Iterator[S3Server]:
    """Start a Ceph cluster in memory; its packages are installed when they can be."""
    folder = Path(tempfile.mkdtemp(prefix="trimtab-ceph-"))
    port, monitor = _free(1), _free(2)
    server = S3Server(f"http://127.0.0.1:{port}")
    start = [_CEPH, "start", folder, port, monitor, server.access_key, server.secret_key]
    log = folder / "start.log"
    try:
        with log.open("w") as told:
            # daemons inherit what they write to: a pipe would never end
            started = subprocess.run([*map(str, start)], stdout=told, stderr=told, timeout=400)
        if started.returncode:
            pytest.fail(f"no S3 server for the integration lane:\n{log.read_text()[-2000:]}")
        yield server
    finally:
        subprocess.run([str(_CEPH), "stop", str(folder)], timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """Start the PostgreSQL of a home folder of its own."""
    from trimtab.adapters import postgres as embedded

    home = Path(tempfile.mkdtemp(prefix="trimtab-postgres-"))
    server = embedded.join(home)
    yield server
    server.stop()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def s3(ceph: S3Server, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a client of the S3 server, with the variables set for everything else."""
    from trimtab.adapters import s3

    for name, value in ceph.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    return s3.client()


@pytest.fixture
def bucket(s3: Any) -> str:
    """Make an empty bucket."""
    name = f"trimtab-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def database(postgres: Any) -> str:
    """Make an empty PostgreSQL database; return its SQLAlchemy address."""
    return str(postgres.url(f"test_{uuid.uuid4().hex[:12]}"))


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """Start a Redis in memory; return its address. Debian's package is installed when root."""
    if not shutil.which("redis-server"):
        _install("redis-server")
    port = _free(1)
    quiet = ["--save", "", "--appendonly", "no", "--bind", "127.0.0.1", "--loglevel", "warning"]
    server = subprocess.Popen(["redis-server", "--port", str(port), *quiet])
    try:
        _wait(port)
        yield f"redis://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """Return the address of an empty Redis database."""
    import redis

    redis.Redis.from_url(redis_server).flushall()
    return f"{redis_server}/0"


def _install(package: str) -> None:
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        pytest.fail(f"the integration lane needs {package}: apt-get install {package}")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for verb in (["update"], ["install", "-y", "--no-install-recommends", package]):
        subprocess.run([apt, "-qq", *verb], check=True, timeout=400, env=quiet)


def _wait(port: int) -> None:
    for _ in range(100):
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail(f"nothing answers on port {port}")


def _free(count: int) -> int:
    """Find a port that is free, as are those that follow it."""
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
        if all(_is_free(port + step) for step in range(count)) and port + count < 65_000:
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
