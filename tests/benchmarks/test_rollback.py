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
from trimtab.stages.block import unblock
from trimtab.stages.evaluate import evaluate
from trimtab.stages.features import build_features
from trimtab.stages.intake import take
from trimtab.stages.promote import promote
from trimtab.stages.rollback import rollback
from trimtab.stages.train import train
from trimtab.training import package
from trimtab.types import Approval, GateVerdict

GOAL = 5.0  # seconds from the command to another answer
ROUNDS, RACES, RACERS, NAIVE = 5, 1000, 4, 30
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
MODEL = """
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
    for name, text in {"datasets/orders.yaml": DATASET, "models/orders_late.yaml": MODEL}.items():
        (config / name).parent.mkdir(parents=True)
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
        train(opened, "orders_late", build_features(opened, "orders_late", force=True).key)
        verdict = evaluate(opened, "orders_late", version)
        assert verdict.verdict == "PROMOTE", verdict.reasons
        approve(opened, "orders_late", version)
        promote(opened, "orders_late", version)
    return opened


class Service:
    """What answers requests: it asks the ledger who serves, and answers the recorded rows."""

    def __init__(self, env: Environment) -> None:
        self.env = env
        self.loaded: LoadedModel | None = None
        self.rows = pl.read_parquet(self._folder(1) / package.RECORDED).to_pandas()

    def _folder(self, version: int) -> Path:
        return self.env.lake / versions.candidate(self.env.ledger, "orders_late", version).uri

    def answer(self) -> bytes:
        now = champion.current(self.env.ledger, "orders_late")
        assert now is not None
        if self.loaded is None or self.loaded.version != now.version:
            candidate = versions.candidate(self.env.ledger, "orders_late", now.version)
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
    command = [sys.executable, "-m", "trimtab.cli", "rollback", "orders_late", *place]
    by: dict[str, Callable[[str], Any]] = {
        "command line": lambda reason: subprocess.run(
            [*command, "--reason", reason], check=True, env=os.environ, capture_output=True
        ),
        "stage": lambda reason: rollback(env, "orders_late", reason=reason, actor="ana"),
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


def promoted_again(env: Environment, version: int) -> None:
    """Put a version back by hand, as if it had won again."""
    model, now = "orders_late", champion.current(env.ledger, "orders_late")
    if version in blocks.standing(env.ledger, model):
        unblock(env, model, version, reason=f"after {now}", actor="bench")
    again = {"action": "promote", "actor": "bench", "reason": "again"}
    champion.swap(env.ledger, model, version, expected=now, **again)  # type: ignore[arg-type]


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
def test_a_thousand_races_for_the_champion(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each round: three versions judged against the same champion, and a rollback, at once.

    The race is for the ledger: what follows a change (card, MLflow, messages) is left out.
    """
    for stage in ("promote", "rollback"):
        monkeypatch.setattr(f"trimtab.stages.{stage}._after", lambda _, now: now)
    ledger, model, start = env.ledger, "orders_late", threading.Barrier(RACERS)
    trained = ledger.events("training", model)[-1].payload
    claims: list[int] = []
    next_version = 10
    began = time.monotonic()
    with ThreadPoolExecutor(RACERS) as pool:
        for number in range(RACES):
            now = champion.current(ledger, model)
            assert now is not None
            contenders = range(next_version, next_version + RACERS - 1)
            next_version += RACERS - 1
            for version in contenders:
                passed(env, trained, version, now.generation)
            calls: list[Callable[[], Any]] = [
                functools.partial(promote, env, model, version) for version in contenders
            ]
            if now.version != 1:
                why = f"race {number}"
                back = functools.partial(rollback, env, model, reason=why, actor="ana", to=1)
                calls.append(back)
            else:
                calls.append(lambda: None)
            told = [t for t in pool.map(lambda call: tried(start, call), calls) if t]
            claims += [each.generation for each in told]
    history = champion.history(ledger, model)
    double = len(claims) - len(set(claims))
    lost = len(set(claims) - {change.generation for change in history})
    print(
        f"\n{RACES} races of {RACERS}, {time.monotonic() - began:.0f} s: {len(history)} changes,"
        f" {double} double promotions, {lost} lost updates (goal 0, 0)"
    )
    assert [change.generation for change in history] == list(range(1, len(history) + 1))
    assert (double, lost) == (0, 0)
    assert ledger.first_bad() is None


def tried(start: threading.Barrier, call: Callable[[], Any]) -> Any:
    start.wait()
    try:
        return call()
    except (LedgerConflictError, GateRefusedError):
        return None


def passed(env: Environment, trained: dict[str, Any], version: int, generation: int) -> None:
    """Write what a version needs to be promoted now."""
    model = "orders_late"
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
        if str(client.get_model_version_by_alias("orders_late", "champion").version) != expected:
            return False
        client.set_registered_model_alias("orders_late", "champion", wanted)
        return True

    wins = 0
    with ThreadPoolExecutor(RACERS) as pool:
        for _ in range(NAIVE):
            client.set_registered_model_alias("orders_late", "champion", "1")
            wins += sum(pool.map(promoted, ["1"] * RACERS, ["2"] * RACERS))
    print(f"\ncontrol, MLflow's alias: {NAIVE} races, {wins} 'wins' (one each would be right)")
    assert wins > NAIVE, "if this passed, the race would prove nothing"
