import os
import subprocess
import sys
from pathlib import Path

import pytest

from trimtab.errors import TrimtabError
from trimtab.platform import state
from trimtab.platform.state import Pid, State


def written(home: Path, supervisor: Pid) -> State:
    made = State(supervisor=supervisor, project="p", started_at="2026-01-01T00:00:00+00:00")
    made.write(home)
    return made


def test_what_is_written_is_read(tmp_path: Path) -> None:
    made = written(tmp_path, Pid.of(os.getpid()))
    assert state.read(tmp_path) == made
    assert state.running(tmp_path) == made
    state.forget(tmp_path)
    assert state.read(tmp_path) is None


def test_a_dead_supervisor_is_stale(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    pid = Pid.of(child.pid)
    written(tmp_path, pid)
    assert state.running(tmp_path)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert state.running(tmp_path) is None  # still a zombie
    child.wait()
    assert state.running(tmp_path) is None
    assert state.read(tmp_path) is not None


def test_a_number_given_anew_is_another_process() -> None:
    me = Pid.of(os.getpid())
    assert me.process() is not None
    assert Pid(pid=me.pid, created=me.created - 60).process() is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"supervisor": 1}'])
def test_half_a_file_is_no_state(tmp_path: Path, text: str) -> None:
    (tmp_path / "platform.json").write_text(text)
    assert state.read(tmp_path) is None


def test_the_lock_has_one_holder_and_dies_with_it(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys; from trimtab.platform import state\n"
        "with state.held(pathlib.Path(sys.argv[1])): print('held', flush=True); input()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"held\n"
    with pytest.raises(TrimtabError, match="just being started"), state.held(tmp_path):
        pass
    child.kill()
    child.wait()
    with state.held(tmp_path):
        pass
