"""The embedded PostgreSQL: starts once, is shared, survives a kill, stops with its last user."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import create_engine, text

from trimtab.adapters import postgres

JOIN = "import sys, pathlib; from trimtab.adapters import postgres; "
HOLD = JOIN + "print(postgres.join(pathlib.Path(sys.argv[1])).pid, flush=True); sys.stdin.read()"


def running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def user(home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def pid_of(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def end(process: subprocess.Popen[str]) -> None:
    process.communicate("")
    assert process.returncode == 0


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    for folder in [tmp_path, *tmp_path.parents][:3]:  # pytest's folders are 0700, the server's
        folder.chmod(folder.stat().st_mode | 0o055)  # user must pass through when we are root
    yield tmp_path
    if left := postgres.leftover(tmp_path):
        left.stop()


def test_databases_are_made_once_and_keep_their_note(home: Path) -> None:
    server = postgres.join(home)
    url = server.url("ledger")
    assert url.startswith("postgresql+psycopg2://")
    server.set_note("ledger", "it's version 3")
    with create_engine(url).begin() as connection:
        connection.execute(text("create table t as select 1 as a"))
    again = postgres.join(home)
    assert again.pid == server.pid
    assert again.note("ledger") == "it's version 3"
    assert again.note("nowhere") == ""
    with create_engine(again.url("ledger")).connect() as connection:
        assert connection.execute(text("select a from t")).scalar() == 1
        assert connection.execute(text("show listen_addresses")).scalar() == ""
        assert connection.execute(text("show unix_socket_permissions")).scalar() == "0700"
    again.stop()


def test_after_kill_minus_nine_the_next_join_serves(home: Path) -> None:
    first = user(home)
    os.kill(pid_of(first), signal.SIGKILL)
    server = postgres.join(home)
    with create_engine(server.url("ledger")).connect() as connection:
        assert connection.execute(text("select 1")).scalar() == 1
    first.kill()
    server.stop()


def test_the_last_user_stops_it_and_no_other(home: Path) -> None:
    one, two = user(home), user(home)
    pid = pid_of(one)
    assert pid_of(two) == pid
    assert sorted(postgres.users(home)) == sorted([one.pid, two.pid])
    end(one)
    assert running(pid)
    end(two)
    deadline = time.monotonic() + 5
    while running(pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not running(pid)
    assert postgres.leftover(home) is None


def test_a_killed_user_does_not_keep_it_alive(home: Path) -> None:
    killed, other = user(home), user(home)
    pid = pid_of(killed)
    assert pid_of(other) == pid
    killed.kill()
    killed.wait()
    end(other)
    assert not running(pid)


def test_a_long_home_gets_a_short_socket(home: Path) -> None:
    deep = home / ("x" * 100)
    server = postgres.join(deep)
    assert len(server.url("ledger").split("host=")[1]) < 90
    with create_engine(server.url("ledger")).connect() as connection:
        assert connection.execute(text("select 1")).scalar() == 1
    server.stop()


def test_a_stale_pid_file_of_another_program_is_no_server(home: Path) -> None:
    server = postgres.join(home)
    server.stop()
    data = home / "postgres"
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n1\n5432\n{data}\n\n0 0\nready\n")
    assert postgres.leftover(home) is None
    again = postgres.join(home)
    assert again.note("postgres") != "never"
    assert again.pid != os.getpid()
    again.stop()
