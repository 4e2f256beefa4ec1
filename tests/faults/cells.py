"""One cell of the fault matrix: a scenario, a step, a fault; and what must be true afterwards.

``Bench`` runs cells, whatever they are about; ``Ingestion`` is about deliveries (see models.py).
"""

import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Engine, create_engine, select, text
from sqlalchemy.pool import NullPool

from faults import scenarios
from trimtab.ledger import Ledger
from trimtab.ledger.tables import events

RETRY, ZOMBIE = "retry", "zombie"


@dataclass
class State:
    """What a reader, an auditor and the next run can see."""

    rows: list[tuple[Any, ...]] = field(default_factory=list)
    versions: int = 0
    events: list[tuple[str, str, str]] = field(default_factory=list)
    quarantine: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    chain: int | None = None

    def differences(self, other: "State", *, ordered: bool = True) -> list[str]:
        """Say where ``self`` is not what the undisturbed run made; temporary names are ignored."""
        found = []
        mine, theirs = self.rows, other.rows
        if mine != theirs:
            found.append(f"{len(mine)} rows, not {len(theirs)}, or others")
        found += [
            f"{name}: {getattr(self, name)!s:.300} not {getattr(other, name)!s:.300}"
            for name in ("versions", "quarantine")
            if getattr(self, name) != getattr(other, name)
        ]
        told = [e if ordered else e[:2] for e in self.events]
        wanted = [e if ordered else e[:2] for e in other.events]
        if sorted(told) != sorted(wanted):
            odd = [e for e in told if e not in wanted] + [e for e in wanted if e not in told]
            found.append(f"events: {odd!s:.600}")
        if self.chain is not None:
            found.append(f"the chain breaks at {self.chain}")
        if visible := {f for f in self.files - other.files if not temporary(f)}:
            found.append(f"left behind: {sorted(visible)}")
        return found


def temporary(file: str) -> bool:
    """Whether readers ignore a file by its name."""
    parts = Path(file).parts
    hidden = any(part.startswith(".") for part in parts) or file.endswith(".tmp")
    return hidden or (parts[-2] == "_delta_log" and not parts[-1].split(".")[0].isdigit())


class Bench:
    """Runs cells. ``place`` holds tables and files, ``database`` the ledger.

    A bench of its own says what is there before the fault, what runs, and what must be equal.
    """

    module = ""  # of the scenarios' pipelines, as the zygote imports it

    def __init__(self, zygote: Any, url: str, place: Any) -> None:
        self.zygote, self.url, self.place = zygote, url, place
        self.database: Engine = create_engine(url, poolclass=NullPool)
        self.number = 0
        self.before: dict[tuple[str, str], tuple[Path, list[dict[str, Any]]]] = {}
        self.wanted: dict[tuple[str, str], tuple[Any, list[str]]] = {}
        self.tried: dict[str, list[int]] = {}  # fault: cells, and those that survived
        self.control = ""
        self.waited, self.taught = 0, False

    def undisturbed(self, scenario: str, pipeline: str = "ours") -> tuple[Any, list[str]]:
        """Return what a run without a fault makes, and the steps it takes."""
        if (scenario, pipeline) not in self.wanted:
            cell = self._cell(scenario, pipeline)
            self._finished(self._run(cell, scenario, pipeline), cell)
            self._teach(cell)
            steps = (cell / "retry.points").read_text().splitlines()
            self.wanted[scenario, pipeline] = self._state(cell), steps
        return self.wanted[scenario, pipeline]

    def kill(self, scenario: str, step: int, pipeline: str = "ours") -> list[str]:
        """Kill a run at a step, run again; return what is wrong then."""
        cell = self._cell(scenario, pipeline)
        first = self._run(cell, scenario, pipeline, ZOMBIE, at=step, fault="kill")
        ended = self.zygote.wait(first)
        if ended != "signal 9":
            return [f"the first run was not killed: {ended} {self._log(cell)}"]
        self._finished(self._run(cell, scenario, pipeline), cell)
        return self._differences(cell, scenario, pipeline)

    def stop(
        self, scenario: str, step: int, pipeline: str = "ours", *, unlock: bool = False
    ) -> list[str]:
        """Put a run to sleep at a step, let a retry end, wake it; return what is wrong then.

        When the sleeper holds the publication the retry waits; then both go on together. With
        ``unlock`` the sleeper's connections are cut instead, as a network does, and the retry
        passes it by.
        """
        cell = self._cell(scenario, pipeline)
        sleeper = self._run(cell, scenario, pipeline, ZOMBIE, at=step, fault="stop")
        ended = self.zygote.wait(sleeper)
        if ended != "stopped":
            return [f"the first run did not stop: {ended} {self._log(cell)}"]
        if unlock:
            self._cut(ZOMBIE)
        retry = self._run(cell, scenario, pipeline)
        ended = self._ended_or_waiting(retry)
        self.waited += ended is None
        os.kill(sleeper, signal.SIGCONT)
        ended = ended or self.zygote.wait(retry)
        woken = self.zygote.wait(sleeper)
        problems = [] if ended == "exit 0" else [f"retry: {ended} {self._log(cell)}"]
        if woken != "exit 0" and not unlock:  # whoever lost the ledger may fail, aloud
            problems.append(f"zombie: {woken} {self._log(cell, ZOMBIE)}")
        if unlock:
            self._settled(cell)
        return problems + self._differences(cell, scenario, pipeline)

    def together(
        self, scenario: str, *, only: tuple[str | None, str | None], step: int | None = None
    ) -> list[str]:
        """Two runs at once, of everything or of one file each; with ``step`` one sleeps a while."""
        cell = self._cell(scenario, "ours")
        first = self._run(cell, scenario, "ours", ZOMBIE, only=only[0], at=step, fault="stop")
        second = self._run(cell, scenario, "ours", only=only[1])
        if step is not None and self.zygote.wait(first) == "stopped":
            self._ended_or_waiting(second)
            os.kill(first, signal.SIGCONT)
        self._finished(first, cell, ZOMBIE)
        self._finished(second, cell)
        if None not in only:  # each left the other's file alone; whatever is left is taken now
            self._finished(self._start(cell, "ours", RETRY), cell)
        return self._differences(cell, scenario, "ours", ordered=False)

    def count(self, fault: str, tried: dict[str, list[str]]) -> dict[str, list[str]]:
        """Note how many cells survived; return the problems of those that did not."""
        failed = {name: problems for name, problems in tried.items() if problems}
        cells = self.tried.setdefault(fault, [0, 0])
        cells[0] += len(tried)
        cells[1] += len(tried) - len(failed)
        return failed

    def report(self) -> list[str]:
        """One line per fault, and the control."""
        lines = [
            f"{fault}: {kept} of {cells} survived" for fault, (cells, kept) in self.tried.items()
        ]
        return [
            *lines,
            f"retries that waited for a sleeper: {self.waited}",
            f"control: {self.control}",
        ]

    def _prepared(self, scenario: str, pipeline: str) -> tuple[Path, list[dict[str, Any]]]:
        """Make what is there before the fault: a home, and the ledger's entries."""
        raise NotImplementedError

    def _config(self, cell: Path) -> Path:
        """The config folder of a cell."""
        raise NotImplementedError

    def _state(self, cell: Path) -> Any:
        """What can be seen of a cell; it has ``differences``."""
        raise NotImplementedError

    def _run(
        self, cell: Path, scenario: str, pipeline: str, role: str = RETRY, **fault: Any
    ) -> int:
        """Start what a scenario runs."""
        return self._start(cell, pipeline, role, **fault)

    def _settled(self, cell: Path) -> None:
        """What happens by itself, later, where a sleeper lost its connections."""

    def _cell(self, scenario: str, pipeline: str) -> Path:
        """A copy of the scenario's state before the fault."""
        key = scenario, pipeline
        if key not in self.before:
            self.before[key] = self._prepared(scenario, pipeline)
        home, entries = self.before[key]
        cell = self._copy(home)
        self._restore(entries)
        return cell

    def _copy(self, home: Path) -> Path:
        self.number += 1
        cell = Path(self.place.root) / f"cell{self.number}"
        self.place.copy(home, cell)
        return cell

    def _entries(self) -> list[dict[str, Any]]:
        with self.database.connect() as connection:
            return [dict(row) for row in connection.execute(select(events)).mappings()]

    def _teach(self, cell: Path) -> None:
        """Let the zygote import what this child needed: the others then start at once."""
        if not self.taught:
            self.zygote.ask(learn=(cell / "retry.modules").read_text().splitlines())
            self.taught = True

    def _start(
        self,
        cell: Path,
        pipeline: str,
        role: str,
        *,
        at: int | None = None,
        fault: str = "none",
        only: str | None = None,
    ) -> int:
        ledger = {"TRIMTAB_LEDGER": self.url, "TRIMTAB_TRACKING": f"sqlite:///{cell}/mlflow.db"}
        pid: int = self.zygote.start(
            module=self.module,
            pipeline=pipeline,
            home=str(cell),
            config=str(self._config(cell)),
            role=role,
            at=at,
            fault=fault,
            only=only,
            log=str(cell / role),
            environment=ledger | self.place.environment(cell),
        )
        return pid

    def _finished(self, pid: int, cell: Path, role: str = RETRY) -> None:
        ended = self.zygote.wait(pid)
        assert ended == "exit 0", f"{role}: {ended} {self._log(cell, role)}"

    def _ended_or_waiting(self, pid: int) -> str | None:
        """Return how a child ended; None when it waits for a lock that a sleeper holds."""
        query = text(
            "select count(*) from pg_locks l join pg_stat_activity a using (pid) where "
            "l.locktype = 'advisory' and not l.granted and a.application_name = 'retry'"
        )
        until, seen = time.monotonic() + 60, 0
        while time.monotonic() < until:
            if ended := self.zygote.glance(pid):
                return str(ended)
            with self.database.connect() as connection:
                seen = seen + 1 if connection.execute(query).scalar_one() else 0
            if seen >= 3:
                return None
            time.sleep(0.03)
        return "hung"

    def _cut(self, role: str) -> None:
        with self.database.begin() as connection:
            connection.execute(
                text(
                    "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
                    "where application_name = :role"
                ),
                {"role": role},
            )

    def _restore(self, entries: list[dict[str, Any]]) -> None:
        """Make the ledger hold exactly ``entries``; cut whoever still talks to it."""
        for role in (RETRY, ZOMBIE):
            self._cut(role)
        with self.database.begin() as connection:
            # the one way past the trigger that refuses to remove entries
            connection.execute(text("set local session_replication_role = replica"))
            connection.execute(text("truncate events"))
            if entries:
                connection.execute(events.insert(), entries)

    def _log(self, cell: Path, role: str = RETRY) -> str:
        file = cell / role
        return file.read_text()[-1500:] if file.exists() else ""

    def _differences(
        self, cell: Path, scenario: str, pipeline: str, *, ordered: bool = True
    ) -> list[str]:
        wanted, number = self.wanted.get((scenario, pipeline)), self.number
        assert wanted, f"ask for the undisturbed run of {scenario} first (cell {number})"
        found = self._state(cell).differences(wanted[0], ordered=ordered)
        self.place.remove(cell)
        return found


class Ingestion(Bench):
    """Cells about deliveries: ingest, validate and publish."""

    module = "scenarios"

    def __init__(self, zygote: Any, url: str, place: Any) -> None:
        super().__init__(zygote, url, place)
        self.modes: dict[Path, str] = {}  # how each home's dataset is written

    def _prepared(self, scenario: str, pipeline: str) -> tuple[Path, list[dict[str, Any]]]:
        write, before, delivered = scenarios.SCENARIOS[scenario]
        home = Path(self.place.root) / f"before{len(self.before)}"
        self.modes[home] = write
        scenarios.prepare(home, self._config(home), write)
        scenarios.land(home, before, 0)
        self._restore([])
        if before:
            self._finished(self._start(home, pipeline, RETRY), home)
            self._teach(home)
        scenarios.land(home, delivered, 30)
        return home, self._entries()

    def _copy(self, home: Path) -> Path:
        cell = super()._copy(home)
        self.modes[cell] = self.modes[home]
        return cell

    def _config(self, cell: Path) -> Path:
        return Path(self.place.root) / f"config_{self.modes[cell]}"

    def _state(self, cell: Path) -> State:
        from trimtab.adapters import delta

        table, quarantined = self.place.table(cell), self.place.quarantine(cell)
        ledger = Ledger(self.url)
        entries = ledger.events()
        chain = ledger.first_bad()
        ledger.engine.dispose()
        exists = delta.exists(table)
        return State(
            rows=_sorted(delta.scan(table).collect()) if exists else [],
            versions=delta.version(table) if exists else -1,
            events=[(e.kind, e.key, str(sorted(e.payload.items()))) for e in entries],
            quarantine={name: _sorted(pl.read_parquet(file)) for name, file in quarantined.items()},
            files=self.place.files(cell),
            chain=chain,
        )


def _sorted(rows: pl.DataFrame) -> list[tuple[Any, ...]]:
    return sorted(rows.select(sorted(rows.columns)).rows(), key=str)
