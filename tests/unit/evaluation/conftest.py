"""A case for the gate's rules without an environment: rows, labels, any model."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from trimtab.config.model import METRICS, Gate, Task, Train
from trimtab.evaluation.case import Case, Contender
from trimtab.evaluation.holdout import Holdout
from trimtab.features.pipeline import preprocessor
from trimtab.serving.frame import Schema
from trimtab.serving.loader import LoadedModel
from trimtab.training import registry
from trimtab.training.fit import Fitting, fit
from trimtab.training.split import Data
from trimtab.types import FeatureSet

NewCase = Callable[..., Case]
Trained = Callable[..., tuple[LoadedModel, pd.DataFrame, np.ndarray]]


def features(task: Task, **kinds: tuple[str, ...]) -> FeatureSet:
    return FeatureSet(model="m", key="k", uri="u", task=task, train_rows=1, holdout_rows=1, **kinds)


@pytest.fixture(scope="session")
def new_case() -> NewCase:
    """Build a case of a frame and its labels; ``model`` is the challenger."""

    def made(
        frame: pd.DataFrame,
        y: np.ndarray,
        gate: dict[str, Any],
        *,
        task: Task = "binary",
        model: Any = None,
        **kinds: tuple[str, ...],
    ) -> Case:
        who = Contender("challenger", 1, features(task, **kinds), lambda: model)
        return Case(
            gate=Gate.model_validate(gate),
            primary=METRICS[task][0],
            task=task,
            holdout=Holdout(frame, y, None),
            before=(),
            after=(),
            challenger=who,
            champion=None,
            dummy=who,
            linear=who,
            seed="seed",
        )

    return made


def world(task: Task, n: int = 600) -> tuple[pd.DataFrame, np.ndarray]:
    """Numbers with gaps, categories, times; the label follows ``x`` and ``zone``."""
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(
        {
            "x": np.where(rng.random(n) < 0.05, np.nan, rng.normal(size=n)),
            "idle": rng.normal(size=n),
            "zone": rng.choice(["north", "south"], n),
            "at": pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(np.arange(n), unit="h"),
        }
    )
    signal = 2 * frame["x"].fillna(0).to_numpy() + (frame["zone"] == "north").to_numpy()
    signal = signal + rng.normal(0, 0.5, n)
    if task == "regression":
        return frame, signal
    if task == "binary":
        return frame, (signal > 0).astype(float)
    return frame, np.where(signal < -0.5, "low", np.where(signal < 1, "mid", "top")).astype(object)


@pytest.fixture(scope="session")
def trained() -> Trained:
    """Fit a family as training does; return it as the loader would, with the rows."""
    done: dict[Any, Any] = {}

    def made(
        family: str, task: Task = "binary", calibrate: Any = "none", **params: Any
    ) -> tuple[LoadedModel, pd.DataFrame, np.ndarray]:
        key = (family, task, calibrate, *params.items())
        if key in done:
            return done[key]  # type: ignore[no-any-return]
        frame, y = world(task)
        at = frame["at"].dt.tz_localize(None).to_numpy()
        how = Fitting(
            task,
            Train(calibrate=calibrate),
            lambda style: preprocessor(["x", "idle"], ["zone"], ["at"], style=style, task=task),
        )
        found = registry.get(family, task)
        chosen = {**found.defaults, **params}
        model = fit(found, chosen, how, Data(frame, y, at))
        schema = Schema(("x", "idle"), ("zone",), ("at",))
        classes = tuple(np.asarray(getattr(model, "classes_", ())).tolist())
        loaded = LoadedModel("m", 1, "model", task, schema, model, classes)
        done[key] = (loaded, frame, y)
        return done[key]  # type: ignore[no-any-return]

    return made
