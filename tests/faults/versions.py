"""The life of two versions up to a rollback, and two ways to make a champion: ours and a naive one.

Imported by the process that forks the children, so at module level nothing heavy.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

MODEL = "buys"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
DATASET = """
dataset: visits
owner: me
source: {uri: landing/visits}
key: [visit]
time: at
columns:
  visit: {type: int}
  at: {type: time}
  signal: {type: float}
  bought: {type: int, known_after: later}
"""
SPEC = """
model: buys
purpose: Tell the shop which visit ends with a purchase.
limits: One shop.
owner: me
data: {from: visits}
target: {column: bought, at_least: 1}
split: {holdout: 14d}
train: {min_rows: 50, candidates: [linear], tune: {trials: 1, sample: 400}, shap_rows: 0}
gate: {min_rows: 20, versus_champion: {margin: 0.2, resamples: 100}}
"""
FILES = {"one.csv": (0, 500, 40), "two.csv": (500, 300, 55)}  # first id, rows, last day
# name: what was done before the fault, what is done under it
SCENARIOS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "first": (("train 1",), ("evaluate 1", "approve 1", "promote 1")),
    "evaluate": (("train 1", "evaluate 1", "approve 1", "promote 1", "train 2"), ("evaluate 2",)),
    "approve": (("evaluate 2",), ("approve 2",)),
    "promote": (("approve 2",), ("promote 2",)),
    "rollback": (("promote 2",), ("rollback",)),
    "reconcile": (("rollback", "foreign hand"), ("reconcile",)),
}
# what a scenario's state is built on: that of another before its fault
AFTER = {
    "approve": "evaluate",
    "promote": "approve",
    "rollback": "promote",
    "reconcile": "rollback",
}


def prepare(home: Path, config: Path) -> None:
    """Write the project and two files of visits whose signal says something."""
    for name, text in {"datasets/visits.yaml": DATASET, "models/buys.yaml": SPEC}.items():
        (config / name).parent.mkdir(parents=True, exist_ok=True)
        (config / name).write_text(text)
    home.mkdir(parents=True, exist_ok=True)
    for name, (first, rows, last) in FILES.items():
        lines = [_visit(first + i, i * last // rows) for i in range(rows)]
        (home / name).write_text("\n".join(["visit,at,signal,bought", *lines]) + "\n")


def _visit(number: int, day: int) -> str:
    bought = number * 7919 % 5 < 2
    signal = bought + (number * 104_729 % 1000) / 400 - 1.25
    month, date = divmod(day, 28)
    return f"{number},2026-{month + 1:02d}-{date + 1:02d}T08:00:00Z,{signal:.4f},{int(bought)}"


def ours(env: Any, only: str | None) -> None:
    """Do the named steps by the product's own functions.

    Speed and memory of the trial are no part of what has to be equal; it has tests of its own.
    """
    from trimtab.serving.trial import Trial
    from trimtab.stages import trial

    same = Trial(
        rows=1, difference=0, rounding=1e-9, size=10**6, latency=0.01, memory=10**7, seconds=0.5
    )
    trial.trial = lambda *_: same
    for step in str(only).split(","):
        name, _, version = step.partition(" ")
        STEPS[name](env, int(version) if version.isdigit() else 0)


def naive(env: Any, only: str | None) -> None:
    """The control: move the alias, then count the promotion. It must not survive."""
    done = len(env.ledger.events("naive", "buys"))
    env.tracker.client.set_registered_model_alias("buys", "champion", "2")
    env.ledger.append("naive", "buys", str(done + 1), {"version": 2})


def _train(env: Any, version: int) -> None:
    from trimtab.stages.features import build_features
    from trimtab.stages.intake import take
    from trimtab.stages.train import train

    take(env, "visits", env.home / list(FILES)[version - 1])
    train(env, "buys", build_features(env, "buys", force=True).key)


def _evaluate(env: Any, version: int) -> None:
    from trimtab.stages.evaluate import evaluate

    verdict = evaluate(env, "buys", version)
    assert verdict.verdict == "PROMOTE", verdict.reasons


def _approve(env: Any, version: int) -> None:
    from trimtab.stages.approve import approve

    approve(env, "buys", version)


def _promote(env: Any, version: int) -> None:
    from trimtab.stages.promote import promote

    promote(env, "buys", version)


def _rollback(env: Any, _version: int) -> None:
    from trimtab.stages.rollback import rollback

    rollback(env, "buys", reason="complaints", actor="ana")


def _foreign(env: Any, _version: int) -> None:
    client = env.tracker.client
    client.set_registered_model_alias("buys", "champion", "2")
    client.set_model_version_tag("buys", "2", "trimtab.gate", "PROMOTED")


def _reconcile(env: Any, _version: int) -> None:
    from trimtab.stages.reconcile import reconcile

    assert not reconcile(env).problems


STEPS: dict[str, Callable[[Any, int], None]] = {
    "train": _train,
    "evaluate": _evaluate,
    "approve": _approve,
    "promote": _promote,
    "rollback": _rollback,
    "foreign": _foreign,
    "reconcile": _reconcile,
}
PIPELINES: dict[str, Callable[[Any, str | None], None]] = {"ours": ours, "naive": naive}
