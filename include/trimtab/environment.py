"""The only place where lake, ledger, tracker, notifier and clock are put together."""

import functools
import getpass
import os
import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trimtab.adapters.connections import Connections, from_environment
from trimtab.adapters.notify import Notifier
from trimtab.adapters.store import Store, open_store
from trimtab.adapters.tracking import Tracker
from trimtab.clock import Clock, SystemClock
from trimtab.config import EnvironmentSpec, Project, load_project
from trimtab.errors import NotReadyError
from trimtab.ledger import Ledger
from trimtab.ledger.keys import VARIABLE, Keyring
from trimtab.paths import default_config, default_environment, default_home

_POSTGRES = re.compile(r"^postgres(ql)?://")
__all__ = ["Environment", "default_config", "default_home", "open_environment"]


@dataclass(frozen=True)
class Environment:
    """Where things live. Every stage takes one as its first argument."""

    home: Path
    project: Project
    ledger: Ledger
    tracker: Tracker
    notifier: Notifier
    clock: Clock = field(default_factory=SystemClock)
    connections: Connections = from_environment
    actor: str = "trimtab"  # who started what runs here

    @functools.cached_property
    def lake(self) -> Path:
        """Root of features, models, profiles and reports, and of the store unless it is on S3."""
        return self.home / self.project.environment.lake

    @functools.cached_property
    def studies(self) -> str:
        """SQLAlchemy URL of the searches that several tasks share."""
        return _address("TRIMTAB_STUDIES", self.project.environment.studies, self.home, "studies")

    @functools.cached_property
    def online(self) -> str:
        """URL of the store of the newest features: PostgreSQL (SQLAlchemy) or redis://HOST:PORT."""
        return _address("TRIMTAB_ONLINE", self.project.environment.online, self.home, "online")

    @property
    def scratch(self) -> Path:
        """Where files lie while they are judged; on the lake's disk, so that none is copied."""
        folder = self.home / "scratch"
        folder.mkdir(exist_ok=True)
        return folder

    @functools.cached_property
    def store(self) -> Store:
        """Where tables, staging and quarantine lie: below the lake, or on S3."""
        return open_store(store_address(self.project.environment, self.home))

    def landing(self, dataset: str) -> Path:
        """The folder where files of ``dataset`` land."""
        source = self.project.dataset(dataset).source
        if source.kind != "files" or source.opener != "folder":
            raise NotReadyError(f"{dataset} has no landing folder: it comes from {source.place}")
        return self.home / source.uri

    def table(self, dataset: str) -> str:
        """Path or s3:// address of the Delta table of ``dataset``."""
        return self.store.location(f"datasets/{dataset}")

    def predictions(self, model: str) -> str:
        """Path or s3:// address of the Delta table of ``model``'s predictions."""
        return self.store.location(f"predictions/{model}")

    def run_page(self, run_id: str) -> str | None:
        """Address of an MLflow run for people: ``TRIMTAB_MLFLOW_URL``, or the server itself."""
        server = self.tracker.place if self.tracker.uri.startswith("http") else ""
        base = os.environ.get("TRIMTAB_MLFLOW_URL", server).rstrip("/")
        return f"{base}/#/runs/{run_id}" if base.startswith(("http://", "https://")) else None

    @property
    def reports(self) -> Path:
        """Root of the HTML pages people look at."""
        return self.lake / "reports"


def open_environment(
    name: str | None = None,
    *,
    home: Path | None = None,
    config: Path | None = None,
    clock: Clock | None = None,
    notifier: Callable[[str | None], Notifier] = Notifier,
    connections: Connections = from_environment,
    origin: Mapping[str, Any] | None = None,
    actor: str = "trimtab",
) -> Environment:
    """Put an environment together from its file.

    ``TRIMTAB_LEDGER``, ``TRIMTAB_TRACKING``, ``TRIMTAB_STUDIES``, ``TRIMTAB_ONLINE`` and
    ``TRIMTAB_STORE`` replace the file's addresses; the running platform sets all but the last for
    its processes. An ``embedded`` address without them
    starts (or joins) the PostgreSQL of the home folder and stops it again when the last process
    that uses it ends.
    ``TRIMTAB_LEDGER_KEY`` holds the key of the ledger's chain.
    ``notifier`` is made from the environment's webhook; Airflow brings one that finds its channels
    among Airflow's connections, ``connections`` that know its own, and as ``origin`` the run that
    writes into the ledger (by default that is the user of this machine). ``actor`` is who started
    this: not the one who may approve what comes of it.
    """
    home = (home or default_home()).resolve()
    project = load_project(config or default_config(), name or default_environment())
    place = project.environment
    keys = Keyring.of(os.environ.get(VARIABLE, ""))
    address = _address("TRIMTAB_LEDGER", place.ledger, home, "ledger")
    ledger = Ledger(address, clock, keys, origin or _here())
    ledger.create()
    tracking = _address("TRIMTAB_TRACKING", place.tracking, home, "mlflow")
    return Environment(
        home=home,
        project=project,
        ledger=ledger,
        tracker=Tracker(tracking, artifacts=home / "mlflow"),
        notifier=notifier(place.notify.webhook),
        clock=clock or SystemClock(),
        connections=connections,
        actor=actor,
    )


def _here() -> dict[str, str]:
    """Who runs this process, and on which machine."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        user = str(os.getuid())
    return {"user": user, "host": socket.gethostname()}


def store_address(place: EnvironmentSpec, home: Path) -> str | Path:
    """Folder or s3:// address of the store: ``TRIMTAB_STORE``, the file's, or the lake."""
    return os.environ.get("TRIMTAB_STORE") or place.store or home / place.lake


def _address(variable: str, configured: str, home: Path, database: str) -> str:
    address = os.environ.get(variable, configured)
    if address != "embedded":
        return _POSTGRES.sub("postgresql+psycopg2://", address)  # the driver trimtab brings
    from trimtab.adapters import postgres

    return postgres.join(home).url(database)
