"""The supervisor with stand-ins that ignore every polite signal, on a real PostgreSQL."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from trimtab.adapters import postgres
from trimtab.errors import TrimtabError
from trimtab.platform import airflow, state, supervisor

STUBBORN = (
    "import signal, time; [signal.signal(n, signal.SIG_IGN) for n in (1, 2, 15)]; time.sleep(300)"
)
SCRIPT = f"""
import pathlib, signal, sys
from trimtab.platform import airflow, mlflow, processes, supervisor
stub = [sys.executable, "-c", {STUBBORN!r}]
airflow.command = lambda *words: ["true"] if words[0] == "db" else stub
mlflow.upgrade_command = lambda database: ["true"]
mlflow.server_command = lambda home, database, port: stub
airflow.health = lambda url: dict.fromkeys([p for _, p in airflow.COMPONENTS.values()], "healthy")
processes.answers = lambda url: True
supervisor.GRACE, supervisor.RESTARTS = 0.5, 1
home, project = map(pathlib.Path, sys.argv[1:])
say = lambda line: print(line, flush=True)
one = supervisor.Supervisor(home, project / "config", project, say=say)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, lambda *_: one.stopping.set())
try:
    one.start({{}})
    print("up", flush=True)
    one.watch()
finally:
    one.stop()
print("failure:", one.failure, flush=True)
"""


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True


def stubborn(pid: int) -> bool:
    """Whether a process ignores SIGTERM by now."""
    ignored = re.search(r"SigIgn:\s*(\w+)", Path(f"/proc/{pid}/status").read_text())
    return bool(ignored and int(ignored[1], 16) >> (signal.SIGTERM - 1) & 1)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    for folder in [tmp_path, *tmp_path.parents][:3]:
        folder.chmod(folder.stat().st_mode | 0o055)
    (tmp_path / "project/dags").mkdir(parents=True)
    home = tmp_path / "home"
    yield home
    supervisor.down(home)


@pytest.fixture
def start(home: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    running: list[subprocess.Popen[str]] = []

    def started() -> subprocess.Popen[str]:
        command = [sys.executable, "-c", SCRIPT, str(home), str(home.parent / "project")]
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        assert line(running[-1]) == "up"
        return running[-1]

    yield started
    for process in running:
        process.kill()
        process.communicate()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def pids(home: Path) -> dict[str, int]:
    found = state.running(home)
    assert found is not None
    assert found.healthy
    return {name: pid.pid for name, pid in found.processes.items()}


def nothing_left(home: Path, known: dict[str, int]) -> None:
    assert [name for name, pid in known.items() if not gone(pid)] == []
    assert state.read(home) is None
    assert postgres.leftover(home) is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_nothing(
    home: Path, start: Callable[[], subprocess.Popen[str]], number: int
) -> None:
    process = start()
    known = pids(home)
    assert known.keys() == {*airflow.COMPONENTS, "mlflow"}
    process.send_signal(number)
    process.wait(30)
    nothing_left(home, known)


def test_down_ends_a_supervisor_that_lives(
    home: Path, start: Callable[[], subprocess.Popen[str]]
) -> None:
    start()
    known = pids(home)
    assert supervisor.down(home)[0]
    nothing_left(home, known)
    assert supervisor.down(home) == (False, 0)


def test_down_finds_what_a_killed_supervisor_left(
    home: Path, start: Callable[[], subprocess.Popen[str]]
) -> None:
    process = start()
    known = pids(home)
    while not all(map(stubborn, known.values())):  # one that is just starting obeys
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not any(gone(pid) for pid in known.values())
    assert state.running(home) is None
    assert supervisor.down(home) == (True, len(known))
    nothing_left(home, known)


def test_what_dies_is_started_again_but_not_for_ever(
    home: Path, start: Callable[[], subprocess.Popen[str]]
) -> None:
    process = start()
    first = pids(home)
    os.kill(first["scheduler"], signal.SIGKILL)
    assert line(process).endswith("starting it again")
    deadline = time.monotonic() + 10
    while pids(home).get("scheduler") in (None, first["scheduler"]):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.kill(pids(home)["scheduler"], signal.SIGKILL)
    assert "scheduler ended with -9" in line(process)
    assert "giving up" in line(process)
    process.wait(30)
    nothing_left(home, first)


def test_copies_that_killed_tasks_left_are_cleared(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    for name, age in (("old", 2), ("young", 0)):
        (tmp_path / "scratch" / name).mkdir(parents=True)
        moment = (now - timedelta(days=age)).timestamp()
        os.utime(tmp_path / "scratch" / name, (moment, moment))
    supervisor.clear_scratch(tmp_path, now - timedelta(days=1))
    assert [left.name for left in (tmp_path / "scratch").iterdir()] == ["young"]


def test_a_project_without_dags_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrimtabError, match="has no dags folder"):
        airflow.settings(tmp_path, tmp_path, 8080, "postgresql://")


def test_everybody_is_admin_unless_users_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dags").mkdir()
    name = "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS"
    monkeypatch.delenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS", raising=False)
    assert airflow.settings(tmp_path, tmp_path, 8080, "postgresql://")[name] == "True"
    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS", "ana:user,ben:user")
    assert airflow.settings(tmp_path, tmp_path, 8080, "postgresql://")[name] == "False"


def test_keys_are_made_once_and_for_their_owner_only(tmp_path: Path) -> None:
    (tmp_path / "dags").mkdir()
    first = airflow.settings(tmp_path, tmp_path, 8081, "postgresql://")
    again = airflow.settings(tmp_path, tmp_path, 8081, "postgresql://")
    assert first == again
    assert len(first["AIRFLOW__API_AUTH__JWT_SECRET"]) >= 64
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert first["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert first["AIRFLOW__API__BASE_URL"].endswith(":8081")
