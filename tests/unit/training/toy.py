"""A search small enough for a test; as a program it is one worker of a shared one."""

import sys
import time
from typing import Any

import numpy as np
import pandas as pd

from trimtab.config.model import Train, Tune
from trimtab.features.pipeline import preprocessor
from trimtab.training import registry
from trimtab.training.fit import Fitting
from trimtab.training.search import Search
from trimtab.training.split import Data
from trimtab.training.studies import Shared

SLOW = 30.0  # seconds; a test that waits for it has failed


def data(n: int = 300) -> Data:
    rng = np.random.default_rng(0)
    x = pd.DataFrame({"x": rng.normal(size=n), "noise": rng.normal(size=n)})
    y = (x["x"] + rng.normal(size=n) > 0).astype(np.int8).to_numpy()
    at = np.datetime64("2026-01-01") + np.arange(n).astype("timedelta64[h]")
    return Data(x, y, at)


def search(
    tune: Tune | None = None,
    candidates: tuple[str, ...] = ("linear",),
    rows: Data | None = None,
    **changes: Any,
) -> Search:
    train = Train(candidates=candidates, tune=tune or Tune(trials=3, sample=200))
    return Search(
        data=rows or data(),
        how=Fitting("binary", train, lambda s: preprocessor(["x", "noise"], [], [], style=s)),
        metric="roc_auc",
        validation=0.2,
        **changes,
    )


def _slow_space(trial: Any) -> dict[str, Any]:
    return {"depth": trial.suggest_int("depth", 1, 3)}


def slow(task: Any, seed: int, *, depth: int) -> Any:
    """Wait, as a worker, until it is killed; elsewhere a small tree."""
    from sklearn.tree import DecisionTreeClassifier

    if "--hang" in sys.argv:
        print("began", flush=True)
        time.sleep(SLOW)
    return DecisionTreeClassifier(max_depth=depth, random_state=seed)


def register() -> None:
    """Make ``slow`` a family of this process."""
    registry.estimator("slow", defaults={"depth": 2}, space=_slow_space)(slow)


def main(url: str, worker: str, trials: str, *families: str) -> None:
    register()
    names = tuple(name for name in families if not name.startswith("--"))
    tune = Tune(trials=int(trials), sample=200, parallel=2)
    place = Shared(url, heartbeat=1, grace=2)
    made = search(tune, names, place=place, worker=int(worker), now=time.time)
    print("ready", flush=True)
    sys.stdin.readline()
    print(made.work(), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
