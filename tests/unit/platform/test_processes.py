"""Stopping leaves nothing: not a child that ignores SIGTERM, nor one in a session of its own."""

import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from trimtab.platform import processes
from trimtab.platform.processes import MARK, Process

STUBBORN = (
    "import os, signal, sys, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    "if 'session' in sys.argv: os.setsid()\n"
    "open(sys.argv[1], 'w').write(str(os.getpid()))\n"
    "time.sleep(300)\n"
)
PARENT = (
    "import subprocess, sys, time\n"
    "subprocess.Popen([sys.executable, '-c', sys.argv[1], *sys.argv[2:]])\n"
    "time.sleep(300)\n"
)


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True


def written(file: Path) -> int:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if file.exists() and file.read_text():
            return int(file.read_text())
        time.sleep(0.05)
    raise AssertionError(f"{file} was not written")


def family(tmp_path: Path, *extra: str) -> tuple[Process, int]:
    file = tmp_path / "pid"
    command = [sys.executable, "-c", PARENT, STUBBORN, str(file), *extra]
    parent = Process(
        "family", command, {**os.environ, MARK: str(tmp_path)}, tmp_path / "logs" / "family.log"
    )
    parent.start()
    return parent, written(file)


@pytest.mark.parametrize("extra", [(), ("session",)])
def test_a_grandchild_that_ignores_sigterm_is_gone(tmp_path: Path, extra: tuple[str, ...]) -> None:
    parent, grandchild = family(tmp_path, *extra)
    assert parent.pid is not None
    assert processes.stop([parent.pid], grace=0.5) == 1
    assert gone(parent.pid)
    assert gone(grandchild)


def test_an_orphan_is_found_by_its_mark(tmp_path: Path) -> None:
    parent, orphan = family(tmp_path, "session")
    assert parent.popen is not None
    parent.popen.kill()
    parent.popen.wait()
    assert not gone(orphan)
    assert processes.stop([], mark=str(tmp_path / "other"), grace=0.2) == 0
    assert not gone(orphan)
    assert processes.stop([], mark=str(tmp_path), grace=0.2) == 1
    assert gone(orphan)


def test_an_orphan_is_found_by_its_session(tmp_path: Path) -> None:
    parent, orphan = family(tmp_path)
    assert parent.popen is not None
    root = parent.popen.pid
    parent.popen.kill()
    parent.popen.wait()
    assert processes.stop([root], grace=0.2) == 1
    assert gone(orphan)


def test_who_stops_is_never_stopped() -> None:
    assert processes.stop([os.getpid()], soft=0, grace=0.1) == 0


def test_the_end_of_the_log_tells_why(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no port')"]
    failing = Process("failing", command, os.environ, tmp_path / "failing.log")
    failing.start()
    assert failing.popen is not None
    assert failing.popen.wait() == 1
    assert failing.exit_code == 1
    assert failing.last_lines() == "no port"


def test_a_page_that_is_not_served_does_not_answer() -> None:
    assert not processes.answers("http://127.0.0.1:9/health")
