"""Tickets and visits through features, training and gate; rides split by share, group and seed."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from trimtab.environment import Environment
from trimtab.errors import DataError
from trimtab.serving import loader
from trimtab.stages.evaluate import evaluate
from trimtab.stages.features import build_features
from trimtab.stages.train import train
from trimtab.types import ROLE, Candidate, FeatureSet


@pytest.fixture
def open_shapes(open_env: Any, shapes: Any, publish: Any) -> Any:
    """Open the two shapes with model files changed by (model, old text, new text)."""

    def opened(*changes: tuple[str, str, str]) -> Environment:
        files = dict(shapes.FILES)
        for model, old, new in changes:
            name = f"models/{model}.yaml"
            assert old in files[name]
            files[name] = files[name].replace(old, new)
        env: Environment = open_env(files)
        assert not env.project.problems
        shapes.publish_all(env, publish)
        return env

    return opened


def trained(env: Environment, model: str) -> Candidate:
    return train(env, model, build_features(env, model).key)


def rows_of(env: Environment, features: FeatureSet) -> pl.DataFrame:
    return pl.read_parquet(env.lake / features.uri)


def test_text_and_many_customers_say_the_team(open_shapes: Any) -> None:
    env = open_shapes(("team", "train: {", "split: {folds: 3}\ntrain: {calibrate: sigmoid, "))
    texts: list[str] = []
    candidate = train(env, "team", build_features(env, "team").key, progress=texts.append)
    features = candidate.features
    assert (features.textual, features.group, features.train_until) == (("subject",), None, None)
    assert evaluate(env, "team", 1).verdict == "PROMOTE"
    made = loader.description(env.lake, candidate)
    assert made["schema"]["subject"] == "text"
    walked = made["walk_forward"]
    assert walked["metric"] == "accuracy"
    assert sum(fold["judged"] for fold in walked["folds"]) == features.train_rows
    assert candidate.walk_forward == walked["numbers"]
    assert candidate.walk_forward["mean"] > 0.7
    assert any(text.startswith("walk-forward accuracy 0.") for text in texts)
    run = env.tracker.client.get_run(candidate.run_id)
    assert run.data.metrics["walk_forward_mean"] == pytest.approx(candidate.walk_forward["mean"])
    model = loader.load(env.lake, candidate)
    nothing = rows_of(env, features).head(2).to_pandas()
    nothing[["subject", "customer", "channel"]] = None
    assert model.predict(nothing).sum(axis=1) == pytest.approx(1)


def test_patients_stay_on_one_side_and_are_no_feature(open_shapes: Any) -> None:
    env = open_shapes()
    candidate = trained(env, "pressure")
    features = candidate.features
    assert (features.group, features.weight) == ("patient", "minutes")
    assert not {"patient", "minutes"} & set(features.features)
    rows = rows_of(env, features)
    sides = rows.group_by("patient").agg(pl.col(ROLE).n_unique())
    assert sides[ROLE].max() == 1
    assert rows.filter(pl.col(ROLE) == "holdout").height == features.holdout_rows > 20
    verdict = evaluate(env, "pressure", 1)
    assert next(rule for rule in verdict.rules if rule.name == "unseen_rows").passed
    model, rows_again = loader.load(env.lake, candidate), rows.to_pandas()
    assert np.isfinite(model.predict(rows_again)).all()


def test_another_column_of_weights_is_another_set(open_shapes: Any) -> None:
    env = open_shapes(("pressure", "weight: minutes", "weight: age"))
    again = open_shapes(("pressure", "weight: minutes, ", ""))
    one, two = build_features(env, "pressure"), build_features(again, "pressure")
    assert one.key != two.key
    assert (one.weight, two.weight) == ("age", None)


def test_a_missing_weight_is_named(open_shapes: Any) -> None:
    env = open_shapes(("pressure", "weight: minutes", "weight: dose"))
    with pytest.raises(DataError, match=r"column dose must hold numbers .* of \d+ are not"):
        trained(env, "pressure")


@pytest.fixture
def minutes(open_env: Any, rides: Any, publish: Any) -> Any:
    """Build the features of the model ``minutes`` with another split."""

    def built(split: str) -> tuple[Environment, FeatureSet]:
        name = "models/minutes.yaml"
        text = rides.FILES[name].replace("split: {holdout: 5d}", f"split: {split}")
        env: Environment = open_env({**rides.FILES, name: text})
        assert not env.project.problems
        if not env.ledger.events("dataset_version"):
            rides.publish_all(env, publish)
        return env, build_features(env, "minutes")

    return built


def test_a_share_of_timed_rows_is_cut_at_a_moment(minutes: Any) -> None:
    env, features = minutes("{holdout: 0.25}")
    rows = rows_of(env, features)
    assert features.train_until is not None
    assert rows.filter(pl.col(ROLE) == "train")["at"].max() < features.train_until
    assert rows.filter(pl.col(ROLE) == "holdout")["at"].min() == features.train_until
    assert features.holdout_rows == pytest.approx(0.25 * rows.height, abs=2)


def test_timed_rows_at_random_by_a_stated_seed(minutes: Any) -> None:
    env, one = minutes("{by: random}")
    assert one.train_until is None
    sides = rows_of(env, one)[ROLE].to_list()
    assert sides != sorted(sides, reverse=True)  # not the newest
    env, other = minutes("{by: random, seed: 5}")
    assert rows_of(env, other)[ROLE].to_list() != sides
    assert other.key != one.key


def test_groups_of_timed_rows(minutes: Any) -> None:
    env, features = minutes("{group: plate, holdout: 0.5}")
    assert features.group == "plate"
    assert rows_of(env, features).group_by("plate").agg(pl.col(ROLE).n_unique())[ROLE].max() == 1
