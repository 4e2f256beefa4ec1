"""A model that is watched, window by window: what was seen before a fault, and what runs under it.

The rides, their faults and the models are those of `faultlab`. Imported by the process that forks
the children, so at module level nothing heavy.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MODEL = "late"
ROWS = 1000  # of a window
AUTO = "monitor: {rollback: auto, recalibrate: auto}\n"
FAULTS = {  # name of a step: that of the fault in the window it delivers
    "metres": "km in metres",
    "turned": "load works the other way",
    "often": "more rides are late",
}
# name: what was done before the fault, what is done under it
SCENARIOS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "monitor": (("world", "reconcile", "good 0"), ("monitor",)),
    "decide": (("monitor", "metres 1", "observe"), ("decide",)),
    "quarantine": (("decide",), ("act",)),
    "resolved": (("act", "good 2"), ("monitor", "act")),
    "retrain": (("monitor", "turned 1", "monitor", "act", "turned 2"), ("monitor", "act")),
    "roll back": (
        ("weaker", "reconcile", "good 0", "monitor", "act", "good 1"),
        ("monitor", "act"),
    ),
    "recalibrate": (("monitor", "often 1", "monitor", "act", "often 2"), ("monitor", "act")),
    "calibrated": (("monitor", "act"), ("features", "train")),
}
# what a scenario's state is built on: that of another before its fault
AFTER = {
    "decide": "monitor",
    "quarantine": "decide",
    "resolved": "quarantine",
    "retrain": "monitor",
    "recalibrate": "monitor",
    "calibrated": "recalibrate",
}


def prepare(home: Path, config: Path) -> None:
    """Write the project, whose model may be rolled back and calibrated without asking."""
    _configure(home)


def ours(env: Any, only: str | None) -> None:
    """Do the named steps by the product's own functions; messages are kept beside the lake."""
    from trimtab.adapters import evidently

    evidently.write_drift_page = _drift_page
    env.notifier.send = _messenger(env.home / "messages")
    for step in str(only).split(","):
        name, _, window = step.partition(" ")
        if name == "good" or name in FAULTS:
            _deliver(env, FAULTS.get(name, "nothing"), int(window))
        else:
            STEPS[name](env)


def naive(env: Any, only: str | None) -> None:
    """The control: call somebody, ask for a training, then note it. It must not survive."""
    number = len(env.ledger.events("naive", MODEL)) + 1
    env.ledger.append("naive_request", MODEL, str(number), {"for": number})
    env.ledger.append("naive", MODEL, str(number), {})


def _configure(home: Path, less: str = "") -> None:
    import faultlab

    faultlab.configure(home, (MODEL,), less, AUTO)


def _messenger(folder: Path) -> Callable[..., None]:
    """Keep every message under a name of its content, as a receiver knows one again by its key."""

    def send(severity: str, title: str, text: str = "", **facts: Any) -> None:
        message = {"severity": severity, "title": title, "text": text, **facts}
        told = json.dumps(message, sort_keys=True, default=str)
        folder.mkdir(exist_ok=True)
        (folder / f"{sha256(told.encode()).hexdigest()[:16]}.json").write_text(told)

    return send


def _drift_page(reference: Any, current: Any, path: Path, **_: Any) -> Any:
    """A page in the place of Evidently's, which takes seconds and is somebody else's."""
    from trimtab.adapters.evidently import DriftPage
    from trimtab.monitoring import report

    report.write("drift", path)
    return DriftPage("written", (ROWS, ROWS))


def _deliver(env: Any, name: str, window: int) -> None:
    from tests.unit.published import publish

    import faultlab
    from trimtab.stages.score import score

    (fault,) = [fault for fault in faultlab.FAULTS if fault.name == name]
    publish(env, "rides", faultlab.rides(window, replace(fault, rows=ROWS)), f"{window}.csv")
    score(env, MODEL)


def _world(env: Any) -> None:
    from tests.unit.published import publish

    import faultlab

    for window in range(-faultlab.LEARNT, 0):
        publish(env, "rides", faultlab.rides(window), f"{window}.csv")
    _approve(env, faultlab.serve(env, MODEL))


def _approve(env: Any, version: int) -> None:
    from trimtab.types import Approval

    fine = Approval(model=MODEL, version=version, approved=True, actor="auto")
    env.ledger.append("approval", MODEL, str(version), fine.to_json())


def _weaker(env: Any) -> None:
    """After a good version another one serves, which knows less than the one before."""
    import faultlab
    from trimtab.environment import open_environment

    _world(env)
    _configure(env.home, ", km, kind")
    other = open_environment(home=env.home, config=env.home / "config")
    _approve(env, faultlab.serve(other, MODEL))
    _configure(env.home)


def _observe(env: Any) -> None:
    from trimtab.stages.monitor import observe
    from trimtab.types import Scoring

    event = env.ledger.events("scoring", MODEL)[-1]
    observe(env, Scoring.model_validate(event.payload))


def _stage(name: str) -> Callable[[Any], None]:
    """One of the stages; that there is nothing to do for it is no failure."""

    def run(env: Any) -> None:
        import importlib

        from trimtab.errors import NotReadyError

        with suppress(NotReadyError):
            getattr(importlib.import_module(f"trimtab.stages.{name}"), name)(env, MODEL)

    return run


def _features(env: Any) -> None:
    from trimtab.stages.features import build_features

    features = build_features(env, MODEL)
    assert features.recalibrates == 1, features.cause


def _train(env: Any) -> None:
    from trimtab.stages.train import train

    train(env, MODEL, env.ledger.latest("features", MODEL).key)


def _reconcile(env: Any) -> None:
    from trimtab.stages.reconcile import reconcile

    assert not reconcile(env).problems


STEPS: dict[str, Callable[[Any], None]] = {
    "world": _world,
    "weaker": _weaker,
    "observe": _observe,
    "features": _features,
    "train": _train,
    "reconcile": _reconcile,
    **{name: _stage(name) for name in ("monitor", "decide", "act")},
}
PIPELINES: dict[str, Callable[[Any, str | None], None]] = {"ours": ours, "naive": naive}
