"""The champion with another calibration: the same order of answers, other chances, a new version."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from trimtab.environment import Environment
from trimtab.errors import DataError, NotReadyError
from trimtab.ledger import champion
from trimtab.stages import loading, recalibrate
from trimtab.stages.features import build_features
from trimtab.stages.reproduce import reproduce
from trimtab.stages.rows import training_rows
from trimtab.stages.scope import open_requests
from trimtab.stages.train import train
from trimtab.training.calibrate import Calibrated
from trimtab.types import Candidate


@pytest.fixture
def env(open_env: Any, rides: Any, publish: Any) -> Environment:
    """Version 1 serves; since then every ride takes ten minutes more."""
    opened: Environment = open_env(rides.FILES)
    rides.publish_all(opened, publish)
    train(opened, "late", build_features(opened, "late").key)
    champion.swap(
        opened.ledger, "late", 1, expected=None, action="promote", actor="me", reason="first"
    )
    late = rides.rides(400, first=1000, day=20).with_columns(pl.col("minutes") + 10)
    publish(opened, "rides", late, "rides_2.csv")
    publish(opened, "air", rides.air(day=20, days=21), "air_2.csv")
    return opened


def chances(env: Environment, candidate: Candidate, frame: Any) -> Any:
    return loading.load(env, candidate).pipeline.predict_proba(frame)[:, 1]


def test_it_goes_the_way_of_a_training(env: Environment) -> None:
    with pytest.raises(NotReadyError, match="no cause to train"):
        build_features(env, "late")
    key = recalibrate.request(env, "late", actor="monitor", reason="too low", key="window")
    assert recalibrate.request(env, "late", actor="monitor", reason="too low", key="window") == key
    features = build_features(env, "late")
    assert (features.cause, features.recalibrates) == ("recalibrate", 1)
    again = train(env, "late", features.key)
    assert again.version == 2
    assert not open_requests(env, "late")
    assert build_features(env, "late") == features, "killed here, the next run goes on to the gate"
    first = Candidate.model_validate(env.ledger.events("training", "late")[0].payload)
    assert (again.estimator, again.params, again.trials) == (first.estimator, first.params, 0)
    data = training_rows(env, features, "at")
    fresh = data.time >= np.datetime64(first.features.train_until.replace(tzinfo=None))
    before, now = (chances(env, each, data.frame[fresh]) for each in (first, again))
    assert (np.argsort(before, kind="stable") == np.argsort(now, kind="stable")).all()
    happened = data.y[fresh].mean()
    assert abs(now.mean() - happened) < 0.02 < abs(before.mean() - happened)
    assert again.default_score is not None
    proof = reproduce(env, "late", 2)
    assert proof.differences == ()


def test_a_request_for_a_training_comes_first(env: Environment) -> None:
    from trimtab.stages.retrain import request

    recalibrate.request(env, "late", actor="ana", reason="too low")
    request(env, "late", actor="ben", reason="new sensor")
    assert build_features(env, "late").recalibrates == 1, "the open request is joined"
    env.ledger.append(
        "retrain_request",
        "late",
        "sha",
        {"model": "late", "partition": "p", "retrain": True, "causes": ["performance"],
         "reason": "loss"},
    )  # fmt: skip
    features = build_features(env, "late")
    assert features.recalibrates is None
    assert len(features.requests) == 2


def test_a_calibrated_model_keeps_one_calibration(env: Environment) -> None:
    recalibrate.request(env, "late", actor="ana", reason="too low")
    features = build_features(env, "late")
    again = train(env, "late", features.key)
    champion.swap(
        env.ledger,
        "late",
        2,
        expected=champion.current(env.ledger, "late"),
        action="promote",
        actor="me",
        reason="better",
    )
    pipeline = loading.load(env, again).pipeline
    last = pipeline.steps[-1][1]
    assert isinstance(last, Calibrated)
    assert not isinstance(last.estimator, Calibrated)


def test_what_cannot_be_calibrated_says_why(env: Environment) -> None:
    for model, why in (("minutes", "numbers, not chances"), ("kind", "train it anew")):
        with pytest.raises(DataError, match=why):
            recalibrate.request(env, model, actor="ana", reason="x")


def test_too_few_new_rows_are_waited_for(
    env: Environment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(recalibrate, "_LEAST", 10_000)
    recalibrate.request(env, "late", actor="ana", reason="too low")
    with pytest.raises(NotReadyError, match="newer than what version 1 learnt"):
        train(env, "late", build_features(env, "late").key)
    assert open_requests(env, "late")
