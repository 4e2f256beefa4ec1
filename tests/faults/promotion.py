"""Cells about champions: evaluate, approve, promote, roll back, reconcile, with a real MLflow."""

import hashlib
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faults import versions
from faults.cells import RETRY, Bench, temporary
from trimtab.ledger import Event, Ledger, champion
from trimtab.training import package
from trimtab.types import Candidate

# What MLflow knows by an absolute path, and what of it has to be equal afterwards.
_PATHS = {
    "experiments": "artifact_location",
    "runs": "artifact_uri",
    "logged_models": "artifact_location",
    "model_versions": "source",
}
_SHOWN = (
    "select alias, version from registered_model_aliases",
    "select version, key, value from model_version_tags",
    "select name, status from runs",
    "select key, value from latest_metrics where key like 'gate_%'",
    "select name, status from logged_models",
)


@dataclass
class Champions:
    """What serves, what is told of it, and what the ledger says."""

    serving: tuple[int, int] | None  # version, generation
    broken: list[str]  # files of the champion that are not what the ledger says
    generations: list[int]
    issued: list[int]  # versions whose papers are there
    events: list[tuple[str, str, str]]
    shown: list[list[str]]
    pages: dict[str, str]
    left: set[str]  # files below the lake
    chain: int | None

    def differences(self, other: "Champions", *, ordered: bool = True) -> list[str]:
        """Say where ``self`` is not what the undisturbed run made."""
        found = [
            f"{name}: {getattr(self, name)!s:.300} not {getattr(other, name)!s:.300}"
            for name in ("serving", "broken", "generations", "issued")
            if getattr(self, name) != getattr(other, name)
        ]
        files = sorted({*self.pages, *other.pages})
        if odd := [file for file in files if self.pages.get(file) != other.pages.get(file)]:
            found.append(f"other pages: {odd}")
        for mine, theirs in [
            (self.events, other.events),
            *zip(self.shown, other.shown, strict=True),
        ]:
            if mine != theirs:
                odd = [e for e in mine if e not in theirs] + [e for e in theirs if e not in mine]
                found.append(f"told otherwise: {odd or 'twice'!s:.600}")
        if self.chain is not None:
            found.append(f"the chain breaks at {self.chain}")
        if visible := {file for file in self.left - other.left if not temporary(file)}:
            found.append(f"left behind: {sorted(visible)}")
        return found


class Promotion(Bench):
    """Cells about champions. Each has a copy of the home and of MLflow's database."""

    module = "versions"
    told: Any = versions  # the scenarios
    volatile: Mapping[str, set[str]] = {}  # parts of an entry, by kind, that no two runs share

    def __init__(self, zygote: Any, url: str, place: Any, mlflow: Path) -> None:
        super().__init__(zygote, url, place)
        self.mlflow = mlflow

    def _prepared(self, scenario: str, pipeline: str) -> tuple[Path, list[dict[str, Any]]]:
        if base := self.told.AFTER.get(scenario):
            home = self._cell(base, "ours")
        else:
            home = Path(self.place.root) / f"before{len(self.before)}"
            self.told.prepare(home, self._config(home))
            shutil.copy(self.mlflow, home / "mlflow.db")
            self._restore([])
        for step in self.told.SCENARIOS[scenario][0]:
            self._finished(self._start(home, "ours", RETRY, only=step), home)
            self._teach(home)
        return home, self._entries()

    def _run(
        self, cell: Path, scenario: str, pipeline: str, role: str = RETRY, **fault: Any
    ) -> int:
        steps = fault.pop("only", None) or ",".join(self.told.SCENARIOS[scenario][1])
        pid: int = self._start(cell, pipeline, role, only=steps, **fault)
        return pid

    def _settled(self, cell: Path) -> None:
        """The hourly DAG comes by."""
        self._finished(self._start(cell, "ours", RETRY, only="reconcile"), cell)

    def _copy(self, home: Path) -> Path:
        """MLflow's database names folders: they move along."""
        cell: Path = super()._copy(home)
        with closing(sqlite3.connect(cell / "mlflow.db")) as database, database:
            for table, column in _PATHS.items():
                database.execute(
                    f"update {table} set {column} = replace({column}, ?, ?)",
                    (f"{home}/", f"{cell}/"),
                )
        return cell

    def _config(self, cell: Path) -> Path:
        return Path(self.place.root) / "config_buys"

    def _state(self, cell: Path) -> Champions:
        ledger = Ledger(self.url)
        model: str = self.told.MODEL
        now, entries = champion.current(ledger, model), ledger.events()
        history, chain = champion.history(ledger, model), ledger.first_bad()
        ledger.engine.dispose()
        with closing(sqlite3.connect(cell / "mlflow.db")) as database:
            shown = [sorted(map(str, database.execute(query))) for query in _SHOWN]
        pages = [f for f in (cell / "lake/reports").rglob("*") if f.is_file() and not _papers(f)]
        return Champions(
            serving=(now.version, now.generation) if now else None,
            broken=_broken(cell, entries, now.version) if now else [],
            generations=[change.generation for change in history],
            issued=sorted({e.payload["version"] for e in entries if e.kind == "dossier"}),
            events=sorted(
                (e.kind, e.key, self._payload(e)) for e in entries if e.kind != "dossier"
            ),
            shown=shown,
            pages={str(f.relative_to(cell)): _hash(f) for f in pages if not temporary(str(f))},
            left={file for file in self.place.files(cell) if not _papers(Path(file))},
            chain=chain,
        )

    def _payload(self, entry: Event) -> str:
        left_out = self.volatile.get(entry.kind, set())
        return str(sorted(item for item in entry.payload.items() if item[0] not in left_out))


def _papers(file: Path) -> bool:
    """Papers list the ledger's entries of their moment: a second copy may issue later ones."""
    return "dossiers" in file.parts or file.name == "dossier.html"


def _broken(cell: Path, entries: list[Any], version: int) -> list[str]:
    trained = [Candidate.model_validate(e.payload) for e in entries if e.kind == "training"]
    (mine,) = [candidate for candidate in trained if candidate.version == version]
    return list(package.changed(cell / "lake" / mine.uri, mine.manifest))


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
