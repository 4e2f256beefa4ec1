"""A training against bare scikit-learn, trials of one and of two workers, and what pruning saves.

make bench        # or: uv run --all-extras pytest tests/benchmarks/test_training.py -m benchmark -s

``ROWS`` and ``TRIALS`` make it smaller. One thread everywhere: it is the same for both sides, and
workers of one search must not fight for the other's core.
"""

import os
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from trimtab.config.model import Train, Tune
from trimtab.environment import open_environment
from trimtab.features.pipeline import preprocessor
from trimtab.training import registry
from trimtab.training.fit import Fitting, fit, predict
from trimtab.training.search import Search
from trimtab.training.split import Data
from trimtab.training.studies import Memory, Place, Shared

ROWS, TRIALS = int(os.environ.get("ROWS", "1000000")), int(os.environ.get("TRIALS", "24"))
HOLDOUT = 0.2
NUMBERS = [f"x{i}" for i in range(16)]
CATEGORIES = {"shop": 40, "channel": 5, "country": 120}
_COLUMNS = {
    "id": "int",
    "at": "time",
    **dict.fromkeys(NUMBERS, "float"),
    **dict.fromkeys(CATEGORIES, "category"),
    "late": "int",
}
DATASET = "dataset: sales\nowner: me\nsource: {uri: landing}\nkey: [id]\ntime: at\ncolumns:\n" + (
    "".join(f"  {name}: {{type: {kind}}}\n" for name, kind in _COLUMNS.items())
)
MODEL = f"""
model: late
purpose: Measure what a training costs beside the fit itself.
owner: me
data: {{from: sales}}
target: {{column: late, positive: 1}}
split: {{holdout: {HOLDOUT}}}
train: {{candidates: [boosted_trees], tune: {{trials: 1}}}}
"""


def table(rows: int) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, len(NUMBERS)))
    signal = x[:, 0] + x[:, 1] * x[:, 2] + 0.5 * np.abs(x[:, 3]) + rng.normal(size=rows)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return pl.DataFrame(
        {
            "id": np.arange(rows),
            "at": [start + timedelta(seconds=second) for second in range(rows)],
            **{name: x[:, i] for i, name in enumerate(NUMBERS)},
            **{
                name: np.array([f"{name}-{i}" for i in range(many)])[rng.integers(0, many, rows)]
                for name, many in CATEGORIES.items()
            },
            "late": (signal > 0.4).astype(int),
        }
    )


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
def test_a_whole_training_and_the_bare_fit(
    tmp_path: Path, mlflow_database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole: rows, search with a default trial, refit, baselines, importance, package, MLflow."""
    from tests.unit.published import publish

    from trimtab.stages.features import build_features
    from trimtab.stages.rows import training_rows
    from trimtab.stages.train import train

    home, config = tmp_path / "home", tmp_path / "config"
    for file, text in {"datasets/sales.yaml": DATASET, "models/late.yaml": MODEL}.items():
        (config / file).parent.mkdir(parents=True, exist_ok=True)
        (config / file).write_text(text)
    home.mkdir()
    monkeypatch.setenv("TRIMTAB_LEDGER", f"sqlite:///{home / 'ledger.db'}")
    monkeypatch.setenv("TRIMTAB_TRACKING", f"sqlite:///{mlflow_database}")
    env = open_environment(home=home, config=config)
    publish(env, "sales", table(round(ROWS / (1 - HOLDOUT))))
    features = build_features(env, "late")
    warm_up(env)
    told: list[tuple[float, str]] = []
    began = time.perf_counter()
    candidate = train(
        env, "late", features.key, progress=lambda text: told.append((time.perf_counter(), text))
    )
    whole = time.perf_counter() - began
    data = training_rows(env, features, "at")
    bare = bare_fit(candidate.estimator, candidate.params, data)
    print(f"\n{features.train_rows:,} rows x 20 columns, 1 thread: whole training {whole:.1f} s,")
    print(f"bare fit + predict {bare:.1f} s: ratio {whole / bare:.2f} (goal 1.5)")
    for at, text in told:
        print(f"  {at - began:6.1f} s  {text}")
    assert candidate.run_id


def warm_up(env: Any) -> None:
    """Import what a task has imported before it begins, and open MLflow."""
    import matplotlib.backends.backend_agg  # noqa: F401
    import mlflow.sklearn  # noqa: F401
    import shap  # noqa: F401
    import skops.io  # noqa: F401

    env.tracker.client.search_experiments(max_results=1)
    data = as_data(table(2000))
    fit(registry.get("boosted_trees", "binary"), {}, fitting(Train()), data)


def bare_fit(estimator: str, params: dict[str, Any], data: Data) -> float:
    """Fit the winner's pipeline on all rows and predict them, and nothing else."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import make_pipeline

    assert estimator == "boosted_trees"
    model = HistGradientBoostingClassifier(early_stopping=False, random_state=0, **params)
    began = time.perf_counter()
    pipeline = make_pipeline(
        preprocessor(NUMBERS, list(CATEGORIES), ["at"], style="tree"), model
    ).fit(data.frame, data.y)
    predict(pipeline, data.frame, "binary")
    return time.perf_counter() - began


def fitting(train: Train) -> Fitting:
    kinds = NUMBERS, list(CATEGORIES), ["at"]
    return Fitting("binary", train, lambda style: preprocessor(*kinds, style=style))


def as_data(rows: pl.DataFrame) -> Data:
    frame = rows.select([*NUMBERS, *CATEGORIES, "at"]).to_pandas()
    return Data(frame, rows["late"].to_numpy(), rows["at"].dt.replace_time_zone(None).to_numpy())


def search(family: str, tune: Tune, rows: int, place: Place, worker: int = 0) -> Search:
    return Search(
        data=as_data(table(rows)),
        how=fitting(Train(candidates=(family,), tune=tune)),
        metric="roc_auc",
        validation=0.2,
        place=place,
        worker=worker,
        now=time.time,
    )


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
def test_trials_of_one_and_of_two_workers(postgres: Any) -> None:
    """Processes on a shared PostgreSQL study; each has its rows in memory when the clock starts."""
    rate = {}
    for count in (1, 2):
        url = postgres.url(f"workers_{count}_{os.getpid()}")
        seconds, shares, busy = raced(url, count)
        rate[count] = sum(shares) / seconds
        print(f"\n{count} worker(s): {sum(shares)} trials in {seconds:.1f} s, {shares} each;")
        print(f"trials were {busy / (count * seconds):.0%} of their time, the rest took turns")
        assert sum(shares) == TRIALS
    print(f"throughput of 2 workers against 1: {rate[2] / rate[1]:.2f} x on {os.cpu_count()} cores")


def raced(url: str, count: int) -> tuple[float, list[int], float]:
    """Return the seconds until the last worker ended, their trials, and the seconds in trials."""
    workers = [
        subprocess.Popen(
            [sys.executable, __file__, url, str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        for number in range(1, count + 1)
    ]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    began = time.perf_counter()
    for worker in workers:
        worker.stdin.write("\n")
        worker.stdin.flush()
    shares = [int(worker.stdout.readline()) for worker in workers]
    seconds = time.perf_counter() - began
    busy = sum(float(worker.stdout.readline()) for worker in workers)
    for worker in workers:
        worker.wait(60)
    return seconds, shares, busy


def main(url: str, worker: str) -> None:
    tune = Tune(trials=TRIALS, sample=30_000, parallel=2, minutes=600)
    made = search("boosted_trees", tune, 40_000, Shared(url), int(worker))
    made._made(registry.get("boosted_trees", "binary"))
    assert made.board
    print("ready", flush=True)
    sys.stdin.readline()
    print(made.work(), flush=True)
    mine = [trial for trial in made.board.trials() if trial.worker == int(worker)]
    print(sum(trial.seconds for trial in mine), flush=True)


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
def test_what_pruning_saves() -> None:
    """Of a forest, whose first trees speak for the last: CPU time and the winner's score."""
    spent, best = {}, {}
    for prune in (False, True):
        tune = Tune(trials=TRIALS, sample=4000, prune=prune, minutes=600)
        made = search("random_forest", tune, 6000, Memory())
        began = time.process_time()
        found = made.run()
        spent[prune], best[prune] = time.process_time() - began, found.value
        states = dict(Counter(trial.state for trial in found.trials))
        print(f"\nprune {prune}: {spent[prune]:.1f} s of CPU, best {found.value:.4f}, {states}")
    print(f"saved {1 - spent[True] / spent[False]:.0%}, score {best[True] - best[False]:+.4f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
