"""Start processes so that they can be found again, and stop them with everything they started.

A process tree is found three ways, since each has a hole: by descent (lost when a parent dies), by
session (left by whoever starts a session of its own) and by a mark in the environment (hidden by
programs that write their title over it).
"""

import contextlib
import logging
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

log = logging.getLogger(__name__)
MARK = "TRIMTAB_PLATFORM"  # holds the home folder; only processes of the platform have it
Probe = Callable[[], bool]


@dataclass
class Process:
    """One program of the platform, in a session of its own, writing to its own log."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log_file: Path
    probe: Probe = lambda: True
    restarts: list[float] = field(default_factory=list)
    popen: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; its output is appended to its log file."""
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as output:
            self.popen = subprocess.Popen(  # noqa: S603 our own programs
                list(self.command),
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int | None:
        """Its process id once started."""
        return self.popen.pid if self.popen else None

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self.popen.poll() if self.popen else None

    def last_lines(self, count: int = 15) -> str:
        """Return the end of its log, for an error message."""
        with contextlib.suppress(OSError):
            return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-count:])
        return ""


def answers(url: str) -> bool:
    """Whether a page is served at ``url``."""
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:  # noqa: S310 our own page
            return bool(reply.status == 200)
    except (OSError, ValueError):
        return False


def tree(roots: Iterable[int], mark: str | None = None) -> dict[int, psutil.Process]:
    """Return every living process of the roots' trees and sessions, or that carries ``mark``."""
    roots, found, me = set(roots), {}, os.getpid()
    for process in psutil.process_iter():
        if process.pid != me and (_in_session(process, roots) or _marked(process, mark)):
            found[process.pid] = process
    for root in [*roots, *found]:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(root)
            found |= {child.pid: child for child in (process, *process.children(recursive=True))}
    return {
        pid: process for pid, process in found.items() if pid not in (me, 1) and _alive(process)
    }


def stop(
    roots: Iterable[int], *, mark: str | None = None, soft: int = signal.SIGTERM, grace: float = 10
) -> int:
    """Ask the roots to end, wait up to ``grace`` seconds, then kill what is left of their trees.

    Returns:
        How many had to be killed.
    """
    roots = list(roots)
    family = tree(roots, mark)
    for pid in roots:
        _send(pid, soft)
    gone = time.monotonic() + grace
    while time.monotonic() < gone and any(_alive(process) for process in family.values()):
        time.sleep(0.1)
        family |= tree(roots, mark)
    return _kill(roots, family, mark)


def _kill(roots: list[int], family: dict[int, psutil.Process], mark: str | None) -> int:
    killed: set[int] = set()
    for _ in range(50):  # a process may start another between the look and the kill
        family |= tree(roots, mark)
        left = [process for process in family.values() if _alive(process)]
        if not left:
            break
        for process in left:
            killed.add(process.pid)
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(left, timeout=1)
    return len(killed)


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _in_session(process: psutil.Process, roots: set[int]) -> bool:
    with contextlib.suppress(OSError):
        return bool(roots) and os.getsid(process.pid) in roots
    return False


def _marked(process: psutil.Process, mark: str | None) -> bool:
    if mark is None:
        return False
    with contextlib.suppress(psutil.Error, OSError):
        return bool(process.environ().get(MARK) == mark)
    return False
