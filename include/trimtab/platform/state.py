"""What is running, for other terminals: platform.json, and a lock that dies with its holder."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
from pydantic import BaseModel

from trimtab.errors import TrimtabError


class Pid(BaseModel):
    """A process that cannot be mistaken for a later one with the same number."""

    pid: int
    created: float

    @classmethod
    def of(cls, pid: int) -> "Pid":
        """Look the process up."""
        return cls(pid=pid, created=psutil.Process(pid).create_time())

    def process(self) -> psutil.Process | None:
        """Return the living process, or None when it is gone or the number was given anew."""
        try:
            found = psutil.Process(self.pid)
            same = abs(found.create_time() - self.created) < 1
        except psutil.Error:
            return None
        return found if same and found.status() != psutil.STATUS_ZOMBIE else None


class State(BaseModel):
    """The platform of one home folder."""

    supervisor: Pid
    project: str
    started_at: str
    urls: dict[str, str] = {}
    processes: dict[str, Pid] = {}
    healthy: bool = False
    seconds: dict[str, float] = {}

    def write(self, home: Path) -> None:
        """Write aside, then replace: a reader never sees half."""
        file = _file(home)
        aside = file.with_suffix(f".{os.getpid()}.tmp")
        aside.write_text(self.model_dump_json(indent=1))
        aside.replace(file)

    @property
    def running(self) -> bool:
        """Whether the supervisor lives; its children may live on without it."""
        return self.supervisor.process() is not None


def read(home: Path) -> State | None:
    """Return what was last written, running or stale; None when there is nothing to read."""
    try:
        values: Any = json.loads(_file(home).read_text())
        return State.model_validate(values)
    except (OSError, ValueError):
        return None


def running(home: Path) -> State | None:
    """Return the state of a platform that is up, else None."""
    state = read(home)
    return state if state and state.running else None


def forget(home: Path) -> None:
    """Remove the file: nothing runs any more."""
    _file(home).unlink(missing_ok=True)


@contextlib.contextmanager
def held(home: Path) -> Iterator[None]:
    """Hold the platform of ``home`` for this process; the system frees it when the process ends.

    Raises:
        TrimtabError: another process holds it.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / "platform.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise TrimtabError(
                f"the platform of {home} is just being started or stopped"
            ) from error
        yield


def _file(home: Path) -> Path:
    return home / "platform.json"
