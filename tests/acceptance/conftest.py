"""The real platform, started once, and what a person outside of it has: files, pages, the ledger."""

import http.client
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
import yaml

from trimtab.adapters import postgres
from trimtab.config import yaml_text
from trimtab.environment import Environment, open_environment
from trimtab.ledger import Event
from trimtab.platform import state

ROOT = Path(__file__).parent.parent.parent
TRIMTAB = Path(sys.executable).with_name("trimtab")
PATIENCE = 300.0  # a busy machine is no failure; a platform that died is noticed at once
T = TypeVar("T")

# What 1/15 of the flights asks for: fewer rows, and a gate that judges them without much doubt.
_GATE = {"min_rows": 300, "slices": []}
# More rows than any two of the months have, so that the first version knows all three.
_TRAIN = {"min_rows": 3000, "candidates": ["linear"], "tune": {"trials": 2}}
_CHANGES: dict[str, dict[str, Any]] = {
    "models/flight_delay": {
        "train": {**_TRAIN, "tune": {"trials": 4, "parallel": 2}},
        "gate": {**_GATE, "primary": "roc_auc", "min": 0.5, "versus_champion": {"margin": 0.3}},
        "retrain": {"when": ["new_data"], "cooldown": "25d", "min_new_rows": 1000},
    },
    "models/air_time": {
        "train": _TRAIN,
        "gate": {**_GATE, "primary": "neg_mean_absolute_error", "versus_champion": {"margin": 3}},
        "retrain": {"when": ["new_data", "drift"], "min_new_rows": 1_000_000},
        "approve": {"mode": "manual", "timeout": "1h"},
    },
}


@dataclass
class Live:
    """A platform that runs: its folders, its pages, its ledger."""

    home: Path
    config: Path
    process: subprocess.Popen[bytes]
    env: Environment
    address: str  # host:port of Airflow

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """Ask for a path exactly as it is written; return status and text."""
        connection = http.client.HTTPConnection(self.address, timeout=30)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, {"Content-Type": "application/json"})
            reply = connection.getresponse()
            return reply.status, reply.read().decode(errors="replace")
        finally:
            connection.close()

    def api(self, path: str, body: Any = None, method: str = "GET") -> Any:
        """Ask Airflow's REST API for what must work."""
        status, text = self.call(method, f"/api/v2/{path}", body)
        assert status < 300, f"{method} {path}: {status} {text}"
        return json.loads(text)

    def until(self, look: Callable[[], T], what: str) -> T:
        """Look again and again until there is something."""
        give_up = time.monotonic() + PATIENCE
        while not (found := look()):
            assert self.process.poll() is None, f"the platform ended while waiting for {what}"
            assert time.monotonic() < give_up, f"no {what} in {PATIENCE:.0f} s; last {found!r}"
            time.sleep(0.3)
        return found

    def file(self, dataset: str, name: str) -> Event | None:
        """The verdict on a file by the name it came under."""
        events = self.env.ledger.events("file", dataset)
        return next((event for event in events if event.payload["name"] == name), None)

    def sightings(self, dataset: str) -> dict[str, str]:
        """Verdicts by file name."""
        events = self.env.ledger.events("sighting", dataset)
        return {event.key.split(":")[0]: event.payload["verdict"] for event in events}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Call the command line as a person would."""
        return trimtab(*arguments, "--home", str(self.home))


def trimtab(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TRIMTAB, *arguments], env=clean_environment(), capture_output=True, text=True, timeout=120
    )


def clean_environment() -> dict[str, str]:
    """What a person's shell has: no Airflow of another test, and bytecode is kept between starts."""
    ours = ("AIRFLOW", "TRIMTAB", "PYTEST", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("platform")
    for above in [folder, *folder.parents][:3]:  # PostgreSQL of root runs as somebody else
        above.chmod(above.stat().st_mode | 0o055)
    home, config = folder / "home", folder / "config"
    shutil.copytree(ROOT / "config", config)
    for name, changes in _CHANGES.items():
        _change(config / f"{name}.yaml", changes)
    # Files that grow for seconds on a busy machine must never look still.
    _change(config / "datasets" / "airports.yaml", {"source": {"settle": "4s"}})
    command = [TRIMTAB, "up", "--home", home, "--config", config, "--project", ROOT]
    with (folder / "up.log").open("wb") as log:
        process = subprocess.Popen(command, env=clean_environment(), stdout=log, stderr=log)
    try:
        yield _started(home, config, process, folder / "up.log")
    finally:
        trimtab("down", "--home", str(home))
        process.wait(60)


def _change(file: Path, changes: dict[str, Any]) -> None:
    values = yaml_text.read(file).values  # plain YAML 1.1 takes the key 'on' for a truth
    for key, change in changes.items():
        both = isinstance(values.get(key), dict) and key == "source"
        values[key] = {**values[key], **change} if both else change
    file.write_text(yaml.safe_dump(values, sort_keys=False))


def _started(home: Path, config: Path, process: subprocess.Popen[bytes], log: Path) -> Live:
    give_up = time.monotonic() + PATIENCE
    while not ((there := state.running(home)) and there.healthy):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < give_up, log.read_text()
        time.sleep(0.2)
    server = postgres.leftover(home)  # look, without becoming one of those it stays up for
    assert server is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIMTAB_LEDGER", server.url("ledger"))
        patch.setenv("TRIMTAB_TRACKING", server.url("mlflow"))
        env = open_environment(home=home, config=config)
    return Live(home, config, process, env, there.urls["airflow"].removeprefix("http://"))
