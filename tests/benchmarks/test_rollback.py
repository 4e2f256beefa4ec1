"""The way back in seconds, and who wins when many change the champion at once.

make bench        # or: uv run --all-extras pytest tests/benchmarks/test_rollback.py -m benchmark -s
"""

import functools
import os
import statistics
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from trimtab.environment import Environment, open_environment
from trimtab.errors import GateRefusedError, LedgerConflictError
from trimtab.ledger import blocks, champion, versions
from trimtab.serving import loader
from trimtab.serving.loader import LoadedModel
from trimtab.stages.approve import approve
from trimtab.stages.evaluate import evaluate
from trimtab.stages.features import build_features
from trimtab.stages.intake import take
from trimtab.stages.promote import promote
from trimtab.stages.rollback import rollback
from trimtab.stages.train import train
from trimtab.training import package
from trimtab.types import Approval, Block, Champion, GateVerdict

GOAL = 5.0  # seconds from the command to another answer
ROUNDS, RACERS, NAIVE = 5, 4, 30
RACES, EACH = int(os.environ.get("RACES", "1000")), 50  # races, and those of one model
DATASET = """
dataset: orders
owner: me
source: {kind: files, uri: landing/orders}
key: [order]
columns:
  order: {type: int}
  amount: {type: float}
  shop: {type: category}
  late: {type: int, known_after: delivery}
"""
MODEL = "orders_late"
FILE = """
model: orders_late
purpose: Say whether an order will be delivered late.
owner: me
data: {from: orders}
target: {column: late, at_least: 1}
train: {candidates: [linear], tune: {trials: 1, sample: 5000}}
gate: {min_rows: 100, versus_champion: {margin: 0.2, resamples: 100}}
"""


def orders(seed: int) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    amount, n = rng.normal(size=5000), 5000
    late = (amount + rng.normal(size=n) > 0).astype(int)
    shop = rng.choice(["north", "south"], n)
    first = seed * n
    ids = np.arange(first, first + n)
    return pl.DataFrame({"order": ids, "amount": amount, "shop": shop, "late": late})


@pytest.fixture
def env(
    tmp_path: Path, database: str, postgres: Any, monkeypatch: pytest.MonkeyPatch
) -> Environment:
    """A project with ledger and MLflow on PostgreSQL, and two versions that were champion."""
    from mlflow.store.db import utils

    config = tmp_path / "config"
    models = [MODEL, *(f"race_{number}" for number in range(1 + RACES // EACH))]
    files = {f"models/{model}.yaml": FILE.replace(MODEL, model) for model in models}
    for name, text in {"datasets/orders.yaml": DATASET, **files}.items():
        (config / name).parent.mkdir(parents=True, exist_ok=True)
        (config / name).write_text(text)
    tracking = str(postgres.url(f"mlflow_{uuid.uuid4().hex[:12]}"))
    utils._initialize_tables(utils.create_sqlalchemy_engine(tracking))  # type: ignore[no-untyped-call]
    monkeypatch.setenv("TRIMTAB_LEDGER", database)
    monkeypatch.setenv("TRIMTAB_TRACKING", tracking)
    (tmp_path / "home").mkdir()
    opened = open_environment(home=tmp_path / "home", config=config)
    for version in (1, 2):
        orders(version).write_csv(tmp_path / f"{version}.csv")
        assert take(opened, "orders", tmp_path / f"{version}.csv").published
        train(opened, MODEL, build_features(opened, MODEL, force=True).key)
        verdict = evaluate(opened, MODEL, version)
        assert verdict.verdict == "PROMOTE", verdict.reasons
        approve(opened, MODEL, version)
        promote(opened, MODEL, version)
    return opened


class Service:
    """What answers requests: it asks the ledger who serves, and answers the recorded rows."""

    def __init__(self, env: Environment) -> None:
        self.env = env
        self.loaded: LoadedModel | None = None
        self.rows = pl.read_parquet(self._folder(1) / package.RECORDED).to_pandas()

    def _folder(self, version: int) -> Path:
        return self.env.lake / versions.candidate(self.env.ledger, MODEL, version).uri

    def answer(self) -> bytes:
        now = champion.current(self.env.ledger, MODEL)
        assert now is not None
        if self.loaded is None or self.loaded.version != now.version:
            candidate = versions.candidate(self.env.ledger, MODEL, now.version)
            self.loaded = loader.load(self.env.lake, candidate)
        answer: bytes = self.loaded.predict(self.rows).tobytes()
        return answer


def seconds_until(service: Service, wanted: bytes, change: Callable[[], Any]) -> float:
    """Seconds from the order until the service answers as wanted."""
    done = ThreadPoolExecutor(1)
    began = time.monotonic()
    ordered = done.submit(change)
    while service.answer() != wanted:
        if ordered.done():
            ordered.result()
        time.sleep(0.02)
    taken = time.monotonic() - began
    ordered.result()
    return taken


@pytest.mark.benchmark
@pytest.mark.timeout(1200)
def test_seconds_from_the_command_to_another_answer(env: Environment) -> None:
    service = Service(env)
    new = service.answer()
    promoted_again(env, 1)
    old = service.answer()
    assert old != new, "the two versions answer otherwise"
    promoted_again(env, 2)
    assert service.answer() == new
    place = ["--home", str(env.home), "--config", str(env.project.folder)]
    command = [sys.executable, "-m", "trimtab.cli", "rollback", MODEL, *place]
    by: dict[str, Callable[[str], Any]] = {
        "command line": lambda reason: subprocess.run(
            [*command, "--reason", reason], check=True, env=os.environ, capture_output=True
        ),
        "stage": lambda reason: rollback(env, MODEL, reason=reason, actor="ana"),
    }
    spent: dict[str, list[float]] = {name: [] for name in by}
    for number in range(ROUNDS):
        for name, order in by.items():
            asked = functools.partial(order, f"{name}, round {number}")
            spent[name].append(seconds_until(service, old, asked))
            promoted_again(env, 2)
            assert service.answer() == new
    print(f"\nFrom the order of a rollback to the first answer of the version before (goal {GOAL})")
    for name, values in spent.items():
        median, worst = statistics.median(values), max(values)
        print(f"  {name}: median {median:.2f} s, worst {worst:.2f} s of {ROUNDS}")
    print(f"  predictions of {len(service.rows)} recorded rows byte-equal to before: yes")
    assert env.ledger.first_bad() is None


def unblocked(env: Environment, version: int, model: str = MODEL) -> None:
    """Let a version come back, as a person would, without telling MLflow."""
    if version in blocks.standing(env.ledger, model):
        free = Block(model=model, version=version, blocked=False, actor="bench", reason="-")
        blocks.mark(env.ledger, free)


def promoted_again(env: Environment, version: int, model: str = MODEL) -> None:
    """Put a version back by hand, as if it had won again."""
    now = champion.current(env.ledger, model)
    unblocked(env, version, model)
    again = {"action": "promote", "actor": "bench", "reason": "again"}
    champion.swap(env.ledger, model, version, expected=now, **again)  # type: ignore[arg-type]


@pytest.mark.benchmark
@pytest.mark.timeout(1800)
def test_a_thousand_races_for_the_champion(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each round: three versions judged against the same champion, and a rollback, at once.

    The race is for the ledger. What follows a change (card, MLflow, messages) is left out, and so
    are the loads before it, which take seconds and write nothing: in every other race they are the
    place where all wait until everybody has looked who serves, and one has to win; in the others
    everybody runs as fast as it can.
    """
    ledger, meeting = env.ledger, Meeting()
    for stage in ("promote", "rollback"):
        monkeypatch.setattr(f"trimtab.stages.{stage}._after", lambda _, now: now)
    for load in ("trial.require", "loading.load"):
        monkeypatch.setattr(f"trimtab.stages.{load}", meeting.wait)
    claims: list[Champion] = []
    met, began = [], time.monotonic()
    with ThreadPoolExecutor(RACERS) as pool:
        for number in range(RACES):
            model = f"race_{number // EACH}"
            if number % EACH == 0:
                seeded(env, model)
            meeting.on = number % 2 == 0
            calls = racers(env, model, number)
            told = [t for t in pool.map(lambda call: tried(meeting, call), calls) if t]
            claims += told
            if meeting.on:
                met.append(len(told))
    seconds = time.monotonic() - began
    models = sorted({claim.model for claim in claims})
    history = [change for model in models for change in champion.history(ledger, model)[2:]]
    written = {(change.model, change.generation): change for change in history}
    double = len(claims) - len({(claim.model, claim.generation) for claim in claims})
    lost = sum(written.get((claim.model, claim.generation)) != claim for claim in claims)
    back = sum(claim.action == "rollback" for claim in claims)
    print(
        f"\n{RACES} races of {RACERS}, {seconds:.0f} s: {len(claims)} changes of which {back} "
        f"rollbacks, {double} double promotions, {lost} lost updates (goal 0, 0); of the "
        f"{len(met)} races where all had seen the same champion {met.count(1)} had one winner"
    )
    for model in models:
        found = [change.generation for change in champion.history(ledger, model)]
        assert found == list(range(1, len(found) + 1))
    assert (double, lost, len(history)) == (0, 0, len(claims))
    assert set(met) == {1}
    assert 0 < back < len(claims), "both kinds win some"
    assert ledger.first_bad() is None


def seeded(env: Environment, model: str) -> None:
    """Two versions that were champion; their files are those of the model that was trained."""
    for version in (1, 2):
        passed(env, model, version, version - 1)
        promoted_again(env, version, model)


def racers(env: Environment, model: str, number: int) -> list[Callable[[], Any]]:
    """What is started at once: promotions of versions judged just now, and a rollback."""
    now = champion.current(env.ledger, model)
    assert now is not None
    first, to = 10 + number * RACERS, 1 if now.version != 1 else 2
    contenders = range(first, first + RACERS - 1)
    for version in contenders:
        passed(env, model, version, now.generation)
    unblocked(env, to, model)
    why = f"race {number}"
    back = functools.partial(rollback, env, model, reason=why, actor="ana", to=to)
    return [*(functools.partial(promote, env, model, version) for version in contenders), back]


class Meeting:
    """Where racers wait for each other: at the start, and when ``on`` once more at the swap."""

    def __init__(self) -> None:
        self.on = False
        self.all = threading.Barrier(RACERS, timeout=60)

    def wait(self, *_: Any) -> None:
        if self.on:
            self.all.wait()


def tried(meeting: Meeting, call: Callable[[], Any]) -> Any:
    meeting.all.wait()
    try:
        return call()
    except (LedgerConflictError, GateRefusedError):
        return None


def passed(env: Environment, model: str, version: int, generation: int) -> None:
    """Write what a version needs to be promoted now."""
    trained = {**env.ledger.events("training", MODEL)[-1].payload, "model": model}
    key = f"{version:064d}"
    env.ledger.append("version_number", model, str(version), {"key": key})
    env.ledger.append("training", model, key, {**trained, "version": version, "key": key})
    verdict = GateVerdict(
        model=model,
        version=version,
        verdict="PROMOTE",
        reasons=("race",),
        rules=(),
        primary="roc_auc",
        value=0.9,
        interval=(0.8, 1.0),
        rows=1000,
    )
    env.ledger.append("gate", model, f"{version}:{generation}", verdict.to_json())
    answer = Approval(model=model, version=version, approved=True, actor="auto")
    env.ledger.append("approval", model, str(version), answer.to_json())


@pytest.mark.benchmark
@pytest.mark.timeout(600)
def test_the_control_an_alias_has_several_winners(env: Environment) -> None:
    """Look at MLflow's alias, and move it when it is as expected: the last writer wins."""
    client, start = env.tracker.client, threading.Barrier(RACERS)

    def promoted(expected: str, wanted: str) -> bool:
        start.wait()
        if str(client.get_model_version_by_alias(MODEL, "champion").version) != expected:
            return False
        client.set_registered_model_alias(MODEL, "champion", wanted)
        return True

    wins = 0
    with ThreadPoolExecutor(RACERS) as pool:
        for _ in range(NAIVE):
            client.set_registered_model_alias(MODEL, "champion", "1")
            wins += sum(pool.map(promoted, ["1"] * RACERS, ["2"] * RACERS))
    print(f"\ncontrol, MLflow's alias: {NAIVE} races, {wins} 'wins' (one each would be right)")
    assert wins > NAIVE, "if this passed, the race would prove nothing"
