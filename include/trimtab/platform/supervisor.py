"""Start the platform, keep it running, stop it without a trace."""

import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from trimtab.adapters import postgres
from trimtab.clock import Clock, SystemClock
from trimtab.errors import TrimtabError
from trimtab.platform import airflow, mlflow, ports, processes, state
from trimtab.platform.processes import MARK, Process

log = logging.getLogger(__name__)
Say = Callable[[str], None]
RESTARTS, WITHIN = 5, 600.0  # a process may die so often in so many seconds
PATIENCE = 600.0  # seconds until a start counts as failed
GRACE = 6.0  # seconds between asking and killing


class StoppedError(TrimtabError):
    """The platform was told to stop while it was starting."""


class Supervisor:
    """The platform of one home folder, run by this process."""

    def __init__(
        self,
        home: Path,
        config: Path,
        project: Path,
        *,
        say: Say = log.info,
        clock: Clock | None = None,
    ) -> None:
        self.home, self.config, self.project = home.resolve(), config.resolve(), project.resolve()
        self.say, self.clock = say, clock or SystemClock()
        self.processes: dict[str, Process] = {}
        self.stopping = threading.Event()
        self.failure = ""
        self.state: state.State | None = None

    def start(self, given: Mapping[str, int | None]) -> state.State:
        """Start everything and return when all of it is healthy.

        Raises:
            TrimtabError: a port is taken, a process does not start, or a stop was asked for.
        """
        began = time.monotonic()
        clear_leftovers(self.home)
        clear_scratch(self.home, self.clock.now() - timedelta(days=1))
        server = postgres.join(self.home)
        seconds = {"postgres": time.monotonic() - began}
        chosen = ports.choose(self.home, given)
        environment = self._environment(server, chosen)
        self.state = state.State(
            supervisor=state.Pid.of(os.getpid()),
            project=str(self.project),
            started_at=self.clock.now().isoformat(timespec="seconds"),
            urls={page: f"http://{ports.HOST}:{port}" for page, port in chosen.items()},
        )
        self._remember()
        self._migrate(server, environment)
        seconds["databases"] = time.monotonic() - began
        self._launch(server, environment, chosen["mlflow"])
        self._wait(self._all_healthy, "become healthy")
        seconds["healthy"] = time.monotonic() - began
        self.state = self.state.model_copy(
            update={"healthy": True, "seconds": {k: round(v, 1) for k, v in seconds.items()}}
        )
        self._remember()
        return self.state

    def watch(self) -> None:
        """Restart what dies, until told to stop or one process dies too often."""
        while not self.stopping.wait(1.0):
            for process in self.processes.values():
                if process.exit_code is not None and not self._restart(process):
                    return

    def stop(self) -> None:
        """Stop every process, the api-server last: a task that ends meanwhile can still say so."""
        self.stopping.set()
        last = self.processes.get("api-server")
        first = [p.pid for p in self.processes.values() if p is not last and p.pid]
        processes.stop(first, grace=GRACE)
        processes.stop([last.pid] if last and last.pid else [], mark=str(self.home), grace=GRACE)
        for process in self.processes.values():
            if process.popen:
                process.popen.wait(5)
        state.forget(self.home)

    def _environment(self, server: postgres.Postgres, chosen: Mapping[str, int]) -> dict[str, str]:
        return {
            **os.environ,
            **airflow.settings(self.home, self.project, chosen["airflow"], server.url("airflow")),
            **mlflow.SETTINGS,
            MARK: str(self.home),
            "TRIMTAB_HOME": str(self.home),
            "TRIMTAB_CONFIG": str(self.config),
            "TRIMTAB_LEDGER": server.url("ledger"),
            "TRIMTAB_TRACKING": server.url("mlflow"),
            "TRIMTAB_STUDIES": server.url("studies"),
            "TRIMTAB_ONLINE": server.url("online"),
            "TRIMTAB_MLFLOW_URL": f"http://{ports.HOST}:{chosen['mlflow']}",
            "TRIMTAB_REPORTS_URL": f"http://{ports.HOST}:{chosen['airflow']}/trimtab/reports",
            "PYTHONUNBUFFERED": "1",
        }

    def _migrate(self, server: postgres.Postgres, environment: Mapping[str, str]) -> None:
        """Bring both databases to this version, at the same time, and only when they are not."""
        wanted = {
            "airflow": (airflow.schema_note(), airflow.command("db", "migrate")),
            "mlflow": (mlflow.schema_note(), mlflow.upgrade_command(server.url("mlflow"))),
        }
        due = {name: what for name, what in wanted.items() if server.note(name) != what[0]}
        for name, (_, command) in due.items():
            self._add(f"{name}-migrate", command, environment)
        names = [f"{name}-migrate" for name in due]
        self._wait(lambda: self._ended(names), "finish")
        for name, (note, _) in due.items():
            server.set_note(name, note)
            del self.processes[f"{name}-migrate"]

    def _launch(
        self, server: postgres.Postgres, environment: Mapping[str, str], mlflow_port: int
    ) -> None:
        for name, (arguments, part) in airflow.COMPONENTS.items():
            self._add(name, airflow.command(*arguments), environment, self._healthy(part))
        command = mlflow.server_command(self.home, server.url("mlflow"), mlflow_port)
        page = f"http://{ports.HOST}:{mlflow_port}/health"
        self._add("mlflow", command, environment, lambda: processes.answers(page))
        self._remember()

    def _add(
        self,
        name: str,
        command: list[str],
        environment: Mapping[str, str],
        probe: processes.Probe = lambda: True,
    ) -> None:
        file = self.home / "logs" / f"{name}.log"
        self.processes[name] = Process(name, command, environment, file, probe)
        self.processes[name].start()

    def _healthy(self, part: str) -> processes.Probe:
        def probe() -> bool:
            url = self.state.urls["airflow"] if self.state else ""
            return airflow.health(url).get(part) == "healthy"

        return probe

    def _all_healthy(self) -> bool:
        for process in self.processes.values():
            self._must_live(process)
        return all(process.probe() for process in self.processes.values())

    def _ended(self, names: list[str]) -> bool:
        codes = {name: self.processes[name].exit_code for name in names}
        for name, code in codes.items():
            if code:
                self._must_live(self.processes[name])
        return all(code == 0 for code in codes.values())

    def _must_live(self, process: Process) -> None:
        if process.exit_code is not None:
            raise TrimtabError(
                f"{process.name} ended with {process.exit_code}; the end of {process.log_file}:\n"
                f"{process.last_lines()}"
            )

    def _wait(self, ready: Callable[[], bool], what: str) -> None:
        give_up = time.monotonic() + PATIENCE
        while not ready():
            if self.stopping.wait(0.2):
                raise StoppedError("told to stop while starting")
            if time.monotonic() > give_up:
                raise TrimtabError(
                    f"{', '.join(self.processes)} did not {what} in {PATIENCE:.0f} s; "
                    f"see {self.home / 'logs'}"
                )

    def _restart(self, process: Process) -> bool:
        now = time.monotonic()
        recent = [at for at in process.restarts if now - at < WITHIN]
        what = f"{process.name} ended with {process.exit_code} (log: {process.log_file})"
        if len(recent) >= RESTARTS:
            self.failure = f"{what} for the {RESTARTS + 1}th time; giving up"
            self.say(self.failure)
            return False
        self.say(f"{what}; starting it again")
        processes.stop([process.pid] if process.pid else [], grace=2)  # what it left behind
        process.restarts = [*recent, now]
        process.start()
        self._remember()
        return True

    def _remember(self) -> None:
        if self.state:
            running = {
                name: state.Pid.of(process.pid)
                for name, process in self.processes.items()
                if process.pid and process.exit_code is None
            }
            self.state = self.state.model_copy(update={"processes": running})
            self.state.write(self.home)


def down(home: Path) -> tuple[bool, int]:
    """Stop the platform of ``home``, also what a killed supervisor left behind.

    Returns:
        Whether anything ran, and how many processes had to be killed.
    """
    home = home.resolve()
    before = state.read(home)
    supervisor = before.supervisor.process() if before else None
    killed = processes.stop([supervisor.pid], grace=6 * GRACE) if supervisor else 0
    killed += clear_leftovers(home)
    left = postgres.leftover(home)
    if left and not postgres.users(home):
        left.stop()
    return before is not None or left is not None, killed


def clear_scratch(home: Path, before: datetime) -> None:
    """Remove the copies of files that killed tasks have left behind."""
    for left in (home / "scratch").glob("*"):
        if left.stat().st_mtime < before.timestamp():
            shutil.rmtree(left, ignore_errors=True)


def clear_leftovers(home: Path) -> int:
    """Stop what a supervisor that is gone has left; return how many had to be killed."""
    before = state.read(home)
    kept = before.processes.values() if before else ()
    roots = [pid.pid for pid in kept if pid.process()]
    killed = processes.stop(roots, mark=str(home), grace=GRACE)
    state.forget(home)
    return killed
