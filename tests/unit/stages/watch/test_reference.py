"""Rows whose label never comes are in every window, and so in what it is compared with."""

from typing import Any

import polars as pl
import pytest

from trimtab.environment import Environment
from trimtab.stages.features import build_features
from trimtab.stages.watch import reference
from trimtab.stages.watch.kept import place
from trimtab.types import Candidate

EVERY = 5  # one ride in so many never arrives: no minutes, and nobody knows how far it went


@pytest.fixture
def env(open_env: Any, rides: Any, publish: Any) -> Environment:
    opened: Environment = open_env(rides.FILES)
    rows = rides.rides(600).with_columns(
        pl.when(pl.col("ride") % EVERY > 0).then(pl.col(name)).alias(name)
        for name in ("km", "minutes")
    )
    publish(opened, "rides", rows, "rides_1.csv")
    publish(opened, "cars", rides.cars(), "cars_1.csv")
    return opened


def version(env: Environment) -> Candidate:
    features = build_features(env, "minutes")
    return Candidate(
        model="minutes", version=1, key="c" * 20, features=features, uri="", manifest={},
        estimator="", params={}, validation={}, trials=0, config_hash="",
    )  # fmt: skip


def test_rows_without_a_label_are_among_the_rows_compared_with(env: Environment) -> None:
    candidate = version(env)
    until, newest = candidate.features.train_until, candidate.features.holdout_until
    assert until
    names = ["at", "km", "cars_seats", "ride"]
    trained = reference.rows(env, candidate, "train", names).collect()
    stored = pl.read_parquet(env.lake / candidate.features.uri)
    lost = trained.filter(~pl.col("ride").is_in(stored["ride"].to_list()))
    assert lost["km"].null_count() > lost.height * 0.8
    assert lost["cars_seats"].drop_nulls().unique().sort().to_list() == [4, 6], "joined as others"
    assert trained["at"].max() < until
    held_out = reference.rows(env, candidate, "holdout", names).collect()
    assert (held_out["at"].min(), held_out["at"].max()) >= (until, until)
    assert trained.height + held_out.height == 600
    assert trained["ride"].to_list() == sorted(trained["ride"].to_list()), "side by side"
    assert newest == held_out["at"].max()


def test_they_are_built_once_and_again_when_gone(env: Environment) -> None:
    candidate = version(env)
    first = reference.rows(env, candidate, "train").collect()
    file = place(env, candidate, "unlabelled.parquet")
    before = file.read_bytes()
    file.unlink()
    assert reference.rows(env, candidate, "train").collect().equals(first)
    assert file.read_bytes() == before
    assert first.columns == list(candidate.features.features)


def test_a_column_that_is_not_stored_is_left_out(env: Environment) -> None:
    assert reference.rows(env, version(env), "train", ["km", "none"]).collect().columns == ["km"]


def test_without_the_old_state_of_a_dataset_the_labelled_rows_are_taken(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidate = version(env)
    gone = candidate.features.model_copy(update={"versions": {"rides": -1, "cars": 0}})
    found = reference.rows(env, candidate.model_copy(update={"features": gone}), "train").collect()
    assert found.height == candidate.features.train_rows
