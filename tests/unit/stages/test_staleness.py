"""A planted drift makes the curve fall and limits the age; without one there is no limit."""

from datetime import UTC, datetime, timedelta
from typing import Any

import markupsafe
import numpy as np
import polars as pl
import pytest

from trimtab.environment import Environment
from trimtab.errors import NotReadyError
from trimtab.stages.features import build_features
from trimtab.stages.staleness import staleness
from trimtab.stages.train import train
from trimtab.types import Staleness

START = datetime(2026, 1, 1, tzinfo=UTC)
FILES = {
    "datasets/sales.yaml": """
dataset: sales
owner: me
source: {kind: files, uri: landing/sales}
key: [id]
time: at
columns:
  id: {type: int}
  at: {type: time}
  left: {type: float}
  right: {type: float}
  bought: {type: int, known_after: checkout}
""",
    "models/buyer.yaml": """
model: buyer
purpose: Say who will buy something in this shop.
owner: me
data: {from: sales}
target: {column: bought, positive: 1, delay: 1d}
split: {holdout: 14d}
train: {min_rows: 50, candidates: [linear], tune: {trials: 1}}
gate: {min_rows: 20, primary: roc_auc, versus_champion: {margin: 0.02}}
""",
}


def sales(weeks: int, turn: float, *, season: bool = False, n: int = 4000) -> pl.DataFrame:
    """Who buys depends on a direction that turns by ``turn`` radians over all weeks.

    With ``season``, some weeks are much noisier than others, for every model alike.
    """
    rng = np.random.default_rng(3)
    share = np.linspace(0, 1, n, endpoint=False)
    x = rng.normal(size=(n, 2))
    angle = turn * share
    noise = np.where((share * weeks).astype(int) % 8 < 4, 4.0, 1.0) if season else 1.0
    score = x[:, 0] * np.cos(angle) + x[:, 1] * np.sin(angle) + noise * rng.normal(0, 0.5, n)
    return pl.DataFrame(
        {
            "id": np.arange(n),
            "at": [START + timedelta(weeks=float(s)) for s in share * weeks],
            "left": x[:, 0],
            "right": x[:, 1],
            "bought": (score > 0).astype(int),
        }
    )


@pytest.fixture
def measured(open_env: Any, publish: Any) -> Any:
    def run(rows: pl.DataFrame) -> tuple[Environment, Staleness]:
        env = open_env(FILES)
        publish(env, "sales", rows)
        version = train(env, "buyer", build_features(env, "buyer").key).version
        return env, staleness(env, "buyer", version)

    return run


def test_a_planted_drift_limits_the_age(measured: Any) -> None:
    env, found = measured(sales(26, turn=3.0))
    assert found.losses[0] == 0
    assert found.losses[-1] > 0.2
    assert list(found.losses) == sorted(found.losses)
    assert found.max_age_weeks in (2, 4, 6)
    assert f"train again after {found.max_age_weeks} weeks" in found.reason
    assert found.folds <= 12
    page = (env.reports / str(found.report)).read_text()
    assert "<svg" in page
    assert markupsafe.escape(found.reason) in page
    _mlflow_shows(env, found)
    (env.reports / str(found.report)).unlink()
    assert staleness(env, "buyer", 1) == found  # from the ledger
    assert (env.reports / str(found.report)).exists()
    assert len(env.ledger.events("staleness", "buyer")) == 1


def _mlflow_shows(env: Environment, found: Staleness) -> None:
    client = env.tracker.client
    run = client.search_model_versions("name = 'buyer'")[0].run_id
    curve = client.get_metric_history(run, "score_by_weeks")
    assert {p.step: p.value for p in curve} == dict(zip(found.weeks, found.scores, strict=True))
    pictures = [item.path for item in client.list_artifacts(run, "figures")]
    assert "figures/staleness.svg" in pictures


def test_without_drift_no_limit_is_suggested(measured: Any) -> None:
    """Though half of the weeks are much harder than the others."""
    _, found = measured(sales(26, turn=0.0, season=True))
    assert found.max_age_weeks is None
    assert "older ones were not measured" in found.reason


def test_too_few_weeks_make_no_number(measured: Any) -> None:
    with pytest.raises(NotReadyError, match="3 weeks after the oldest third of the rows"):
        measured(sales(5, turn=0.0, n=1000))


def test_without_time_nothing_ages(open_env: Any, publish: Any, rides: Any) -> None:
    env = open_env(rides.FILES)
    publish(env, "plants", rides.plants())
    train(env, "kind", build_features(env, "kind").key)
    with pytest.raises(NotReadyError, match="plants has no event time"):
        staleness(env, "kind", 1)
    with pytest.raises(NotReadyError, match="version 7 is not trained"):
        staleness(env, "kind", 7)
    assert env.ledger.events("staleness") == []
