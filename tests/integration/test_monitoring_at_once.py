"""Deciding and acting by several processes at once, on real PostgreSQL: each thing is done once.

The processes meet at the lock: it is held until all of them wait for it.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

import faultlab
from trimtab.adapters import evidently
from trimtab.adapters.evidently import DriftPage
from trimtab.environment import Environment, open_environment
from trimtab.ledger import advice, champion
from trimtab.serving import trial
from trimtab.stages.monitor import monitor, observe
from trimtab.stages.scope import open_requests
from trimtab.stages.score import score
from trimtab.types import Approval, Scoring
from trimtab.watch import RetrainDecision, Triage

RACERS = 3
MODEL = "late"
FAULT = {fault.name: fault for fault in faultlab.FAULTS}
AUTO = "monitor: {rollback: auto}\n"
RACER = """
import importlib, sys
from pathlib import Path
from trimtab.environment import open_environment
from trimtab.errors import NotReadyError
home = Path(sys.argv[1])
env = open_environment(home=home, config=home / "config")
print("ready", flush=True)
for line in sys.stdin:
    stage = line.strip()
    try:
        done = getattr(importlib.import_module(f"trimtab.stages.{stage}"), stage)(env, "late")
        print(len(done), flush=True)
    except NotReadyError:
        print(0, flush=True)
"""


@pytest.fixture(scope="module")
def posted() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Every message that a webhook was given, and its address."""
    messages: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", messages
    server.shutdown()


@pytest.fixture(scope="module")
def env(
    postgres: Any, posted: Any, tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path
) -> Iterator[Environment]:
    """A model that serves and was right in its first window."""
    home = tmp_path_factory.mktemp("at_once") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIMTAB_LEDGER", str(postgres.url(f"at_once_{time.monotonic_ns()}")))
        patch.setenv("TRIMTAB_TRACKING", f"sqlite:///{home / 'mlflow.db'}")
        patch.setattr("trimtab.stages.trial.trial", trial.hold)
        patch.setattr(evidently, "write_drift_page", lambda *_, **__: DriftPage("empty"))
        faultlab.world(home, mlflow_database, (MODEL,))
        faultlab.configure(home, (MODEL,), more=AUTO)
        place = home / "config" / "environments" / "local.yaml"
        place.parent.mkdir()
        place.write_text(f"environment: local\nnotify: {{webhook: {posted[0]}}}\n")
        opened = open_environment(home=home, config=home / "config")
        deliver(opened, 0)
        monitor(opened, MODEL)
        yield opened


class Race:
    """Processes that wait for orders."""

    def __init__(self, env: Environment) -> None:
        self.env = env
        self.racers = [self._started() for _ in range(RACERS)]
        for racer in self.racers:
            assert self._said(racer) == "ready"

    def run(self, stage: str, lock: str) -> list[int]:
        """Let all of them do a stage at once; return how much each of them did."""
        with self.env.ledger.lock(f"{lock}:{MODEL}"):
            for racer in self.racers:
                assert racer.stdin
                print(stage, file=racer.stdin, flush=True)
            self._all_wait()
        return [int(self._said(racer)) for racer in self.racers]

    def close(self) -> None:
        for racer in self.racers:
            assert racer.stdin
            racer.stdin.close()
        assert [racer.wait(60) for racer in self.racers] == [0] * RACERS

    def _started(self) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", RACER, str(self.env.home)]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)

    def _said(self, racer: "subprocess.Popen[str]") -> str:
        assert racer.stdout
        return racer.stdout.readline().strip()

    def _all_wait(self) -> None:
        query = text(
            "select count(*) from pg_locks where locktype = 'advisory' and not granted "
            "and database = (select oid from pg_database where datname = current_database())"
        )
        until = time.monotonic() + 120
        while time.monotonic() < until:
            with self.env.ledger.engine.connect() as connection:
                if connection.execute(query).scalar_one() == RACERS:
                    return
            time.sleep(0.05)
        raise AssertionError("they never met at the lock")


@pytest.fixture(scope="module")
def race(env: Environment) -> Iterator[Race]:
    started = Race(env)
    yield started
    started.close()


@pytest.fixture(autouse=True)
def sent(posted: Any) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = posted[1]
    messages.clear()
    return messages


def deliver(env: Environment, window: int, fault: str = "nothing") -> Scoring:
    faultlab.publish(env, "rides", faultlab.rides(window, FAULT[fault]), f"{window}.csv")
    score(env, MODEL)
    event = env.ledger.latest("scoring", MODEL)
    assert event
    return Scoring.model_validate(event.payload)


def count(env: Environment, *kinds: str) -> list[int]:
    return [len(env.ledger.events(kind)) for kind in kinds]


def test_a_broken_file_is_kept_out_once_and_its_owner_called_once(
    env: Environment, race: Race, sent: list[dict[str, Any]]
) -> None:
    broken = deliver(env, 1, "km in metres")
    observe(env, broken)
    before = count(env, "triage", "retrain_decision")
    assert sorted(race.run("decide", "retrain")) == [0] * (RACERS - 1) + [1]
    assert count(env, "triage", "retrain_decision") == [n + 1 for n in before]
    assert sorted(race.run("act", "act")) == [0] * (RACERS - 1) + [1]
    assert count(env, "acted", "incident", advice.ADVISED) == [1, 1, 1]
    (message,) = sent
    assert message["title"].endswith("upstream fault: quarantine")
    assert list(advice.standing(env.ledger, "rides")) == [broken.sha256]
    assert race.run("act", "act") == [0] * RACERS
    assert len(sent) == 1


def test_a_training_is_asked_for_once(
    env: Environment, race: Race, sent: list[dict[str, Any]]
) -> None:
    deliver(env, 2, "load works the other way")
    monitor(env, MODEL)
    race.run("act", "act")
    sent.clear()
    observe(env, deliver(env, 3, "load works the other way"))
    assert sorted(race.run("decide", "retrain")) == [0] * (RACERS - 1) + [1]
    (asked,) = open_requests(env, MODEL)
    acted = count(env, "acted", "retrain_request")
    assert sorted(race.run("act", "act")) == [0] * (RACERS - 1) + [1]
    assert count(env, "acted", "retrain_request") == [acted[0] + 1, acted[1]]
    (message,) = [each for each in sent if not each.get("resolved")]
    assert "a training is asked for" in message["text"]
    assert list(open_requests(env, MODEL)) == [asked]


def test_a_champion_is_rolled_back_once(
    env: Environment, race: Race, sent: list[dict[str, Any]]
) -> None:
    faultlab.serve(env, MODEL)
    for version in (1, 2):
        fine = Approval(model=MODEL, version=version, approved=True, actor="auto")
        env.ledger.append("approval", MODEL, str(version), fine.to_json())
    worse = Triage(
        model=MODEL, version=2, key="worse", partition="2026-04", cause="bad_champion",
        action="roll_back", severity="error", reason="worse", to_version=1,
    )  # fmt: skip
    no = RetrainDecision(model=MODEL, partition="2026-04", retrain=False, reason="no")
    env.ledger.append("retrain_decision", MODEL, "worse", no.to_json())
    env.ledger.append("triage", MODEL, "worse", worse.to_json())
    assert sorted(race.run("act", "act")) == [0] * (RACERS - 1) + [1]
    history = [(c.version, c.action) for c in champion.history(env.ledger, MODEL)]
    assert history == [(1, "promote"), (2, "promote"), (1, "rollback")]
    assert count(env, champion.BLOCKED) == [1]
    titles = sorted(message["title"] for message in sent if not message.get("resolved"))
    assert titles == [
        "late 2026-04: bad champion: roll back",
        "late was rolled back to version 1",
    ]
    assert env.ledger.first_bad() is None
