"""MLflow's part in a training: all its traffic against PostgreSQL, beside MLflow's own way.

make bench        # or: uv run --all-extras pytest tests/benchmarks/test_tracking.py -m benchmark -s
"""

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from trimtab.environment import Environment, open_environment
from trimtab.serving.loader import load
from trimtab.stages.features import build_features
from trimtab.stages.intake import take
from trimtab.stages.track import training_entry
from trimtab.stages.train import train
from trimtab.trusted import allowed

ROUNDS, GOAL = 5, 0.5
ROWS, NUMBERS = 20_000, 18
DATASET = "\n".join(
    [
        "dataset: orders",
        "owner: me",
        "source: {kind: files, uri: landing/orders}",
        "key: [order]",
        "columns:",
        "  order: {type: int}",
        *(f"  x{i}: {{type: float}}" for i in range(NUMBERS)),
        "  shop: {type: category}",
        "  late: {type: int, known_after: delivery}",
        "",
    ]
)
MODEL = """
model: orders_late
purpose: Say whether an order will be delivered late.
owner: me
data: {from: orders}
target: {column: late, at_least: 1}
train: {candidates: [linear, boosted_trees], tune: {trials: 4, sample: 5000}}
"""


def orders() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    numbers = {f"x{i}": rng.normal(size=ROWS) for i in range(NUMBERS)}
    late = (numbers["x0"] + rng.normal(size=ROWS) > 0).astype(int)
    shop = rng.choice([f"shop {i}" for i in range(30)], ROWS)
    return pl.DataFrame({"order": np.arange(ROWS), **numbers, "shop": shop, "late": late})


@pytest.fixture
def env(
    tmp_path: Path, database: str, postgres: Any, monkeypatch: pytest.MonkeyPatch
) -> Environment:
    """An environment with the ledger and MLflow's empty tables on PostgreSQL, and one file in."""
    from mlflow.store.db import utils

    config = tmp_path / "config"
    for name, text in {"datasets/orders.yaml": DATASET, "models/orders_late.yaml": MODEL}.items():
        (config / name).parent.mkdir(parents=True)
        (config / name).write_text(text)
    tracking = str(postgres.url("mlflow_benchmark"))
    utils._initialize_tables(utils.create_sqlalchemy_engine(tracking))
    monkeypatch.setenv("TRIMTAB_LEDGER", database)
    monkeypatch.setenv("TRIMTAB_TRACKING", tracking)
    (tmp_path / "home").mkdir()
    opened = open_environment(home=tmp_path / "home", config=config)
    orders().write_csv(tmp_path / "orders.csv")
    assert take(opened, "orders", tmp_path / "orders.csv").published
    return opened


def timed(call: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the clock, and of this process's processor."""
    began, cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - began, time.process_time() - cpu


def by_default(model: Any, example: pd.DataFrame) -> None:
    """What a notebook does: parameters, metrics and a model with an input example."""
    import mlflow

    with mlflow.start_run():
        mlflow.log_params({"learning_rate": 0.1})
        mlflow.log_metrics({"roc_auc": 0.9})
        mlflow.sklearn.log_model(
            model,
            name="model",
            input_example=example,
            registered_model_name="by_default",
            serialization_format="skops",
            skops_trusted_types=list(allowed()),
        )


@pytest.mark.benchmark
@pytest.mark.timeout(1200)
def test_all_traffic_of_one_training(env: Environment) -> None:
    import mlflow

    trained = train(env, "orders_late", build_features(env, "orders_late").key)
    assert trained.run_id
    at = datetime(2026, 1, 1, tzinfo=UTC)

    def ours(number: int) -> Callable[[], object]:
        other = {"version": number, "key": f"{number:064d}"}  # a version of its own
        candidate = trained.model_copy(update=other)
        return lambda: env.tracker.log_training(training_entry(env, candidate, at))

    rounds = [timed(ours(number)) for number in range(2, 2 + ROUNDS)]
    again = timed(ours(2))[0]
    gate = timed(lambda: env.tracker.log_gate("orders_late", 2, {"roc_auc": 0.9}, {"gate": "HOLD"}))
    entry = training_entry(env, trained, at)
    model = load(env.lake, trained).pipeline
    mlflow.set_tracking_uri(env.tracker.uri)
    place = (env.home / "by_default").as_uri()  # else it writes below the working directory
    mlflow.set_experiment(experiment_id=mlflow.create_experiment("by_default", place))
    default = min(timed(lambda: by_default(model, entry.model.example)) for _ in range(2))
    seconds, cpu = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(
        f"\nMLflow on PostgreSQL, seconds after import: one training, median of {ROUNDS}"
        f"\n  trimtab {seconds:.2f} (goal {GOAL}), {cpu:.2f} of this process's CPU:"
        f" run, {len(entry.families)} nested runs, datasets, {len(entry.files)} files, signature,"
        " input example, registered version, alias"
        f"\n  the same training told again {again:.3f}; its gate {gate[0]:.3f}"
        f"\n  mlflow.sklearn.log_model with an input example {default[0]:.2f}, CPU {default[1]:.2f}:"
        f" {default[0] / seconds:.1f} x"
    )
