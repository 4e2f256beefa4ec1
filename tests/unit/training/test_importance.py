"""A noise column is ranked useless; a real one is not."""

import numpy as np
import pandas as pd
import pytest

from trimtab.config.model import Task, Train
from trimtab.features.pipeline import preprocessor
from trimtab.training import registry
from trimtab.training.fit import Fitting, fit
from trimtab.training.importance import permutation
from trimtab.training.split import Data

N = 3000


@pytest.mark.parametrize("name", ["linear", "random_forest", "boosted_trees"])
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_noise_is_useless_and_below_every_real_column(name: str, task: Task) -> None:
    rng = np.random.default_rng(7)
    frame = pd.DataFrame({f"x{i}": rng.normal(size=N) for i in range(3)})
    frame["noise"] = rng.normal(size=N)
    frame["kind"] = rng.choice(["a", "b"], N)
    signal = 2 * frame["x0"] + frame["x1"] + 0.7 * frame["x2"] + (frame["kind"] == "a")
    y = (signal + rng.normal(size=N)).to_numpy()
    y = (y > 0.5).astype(int) if task == "binary" else y
    how = Fitting(
        task, Train(), lambda style: preprocessor([*frame.columns[:4]], ["kind"], [], style=style)
    )
    family = registry.get(name, task)
    model = fit(family, dict(family.defaults), how, Data(frame, y), np.arange(2000))
    metric = "roc_auc" if task == "binary" else "r2"
    unseen = frame.iloc[2000:]
    found = permutation(model, unseen, y[2000:], task, metric, seed=0)
    assert next(iter(found)) == "x0"
    assert list(found)[-1] == "noise"
    assert found["noise"].useless
    assert abs(found["noise"].mean) < 0.01
    assert not any(found[column].useless for column in ("x0", "x1", "x2", "kind"))
    assert found == permutation(model, unseen, y[2000:], task, metric, seed=0)


def test_a_loss_that_is_no_number_is_useless() -> None:
    frame = pd.DataFrame({"x": np.arange(50.0)})
    how = Fitting("binary", Train(), lambda style: preprocessor(["x"], [], [], style=style))
    family = registry.get("linear", "binary")
    model = fit(family, dict(family.defaults), how, Data(frame, np.arange(50) % 2))
    found = permutation(model, frame, np.zeros(50), "binary", "roc_auc", seed=0)
    assert np.isnan(found["x"].mean)
    assert found["x"].useless
