"""A calibration that monitoring asks for by itself: from the window to the champion and after."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from faultlab import FAULTS, configure, decided, here, quick, rides, score_and_watch, world
from trimtab.environment import Environment, open_environment
from trimtab.ledger import champion, versions
from trimtab.stages import loading
from trimtab.stages.act import act
from trimtab.stages.approve import approve
from trimtab.stages.evaluate import evaluate
from trimtab.stages.features import build_features
from trimtab.stages.promote import promote
from trimtab.stages.scope import open_requests
from trimtab.stages.train import train
from trimtab.types import GateVerdict
from trimtab.watch import Acted

(OFTEN,) = [fault for fault in FAULTS if fault.name == "more rides are late"]
MODELS = ("late",)


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> Iterator[Environment]:
    """One good window, then two in which more rides are late; the model file says auto."""
    home = tmp_path_factory.mktemp("auto") / "home"
    with pytest.MonkeyPatch.context() as patch:
        here(patch, home)
        quick(patch)
        world(home, mlflow_database, MODELS)
        configure(home, MODELS, more="monitor: {recalibrate: auto}\n")
        opened = open_environment(home=home, config=home / "config")
        for window in range(3):
            score_and_watch(opened, MODELS, rides(window, OFTEN if window else None), window)
        yield opened


@pytest.fixture(scope="module")
def done(env: Environment) -> list[Acted]:
    return act(env, "late")


@pytest.fixture(scope="module")
def verdict(env: Environment, done: list[Acted]) -> GateVerdict:
    assert done[-1].retrain
    return evaluate(env, "late", train(env, "late", build_features(env, "late").key).version)


def test_chances_that_are_off_are_asked_to_be_put_right(
    env: Environment, done: list[Acted]
) -> None:
    assert [(each.action, each.outcome) for each in done] == [("recalibrate", "done")]
    assert done[0].retrain, "the training is woken"
    ((key, asked),) = open_requests(env, "late").items()
    assert key == f"recalibrate:{done[0].key}"
    assert asked.causes == ("recalibrate",)
    assert asked.helps_from == rides(1, OFTEN)["at"][0], "when it began"


def test_the_gate_asks_for_the_same_order_and_better_chances(
    env: Environment, verdict: GateVerdict
) -> None:
    assert verdict.verdict == "PROMOTE", verdict.reasons
    assert verdict.difference is not None
    assert verdict.difference == pytest.approx((0, 0, 0), abs=1e-9), "of the ROC AUC"
    (rule,) = [rule for rule in verdict.rules if rule.name == "calibrated_again"]
    assert rule.value is not None
    assert rule.limit is not None
    assert rule.value < 0.05 < 0.15 < rule.limit


def test_it_learns_from_rows_whose_chances_are_wrong_only(
    env: Environment, verdict: GateVerdict
) -> None:
    """Of all rows the champion has not seen, most are of the time when it was right."""
    found = loading.load(env, versions.candidate(env.ledger, "late", verdict.version))
    frame = rides(7, OFTEN)
    told = found.predict(frame.to_pandas())
    assert abs(np.mean(told) - frame.select(pl.col("late").mean()).item()) < 0.04


def test_it_serves_and_labels_of_the_one_before_ask_for_nothing(
    env: Environment, verdict: GateVerdict
) -> None:
    approve(env, "late", verdict.version)
    assert promote(env, "late", verdict.version).previous == 1
    score_and_watch(env, MODELS, rides(3, OFTEN), 3)
    late = [found for found in decided(env, "late") if found.version == 1][-1]
    assert (late.action, ":" in late.key) == ("recalibrate", True), "labels of its last window"
    (mine,) = [acted for acted in act(env, "late") if acted.key == late.key]
    assert (mine.outcome, mine.what) == ("refused", "version 2 serves by now")
    assert not mine.retrain
    assert not open_requests(env, "late")
    now = champion.current(env.ledger, "late")
    assert now is not None
    assert now.version == 2
