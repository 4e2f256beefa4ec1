"""Every family does every task, and comes back from skops with equal predictions."""

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io

from trimtab.config.model import METRICS, Task, Train, Tune
from trimtab.errors import TrimtabError
from trimtab.features.pipeline import preprocessor
from trimtab.serving import loader
from trimtab.training import registry, split
from trimtab.training.board import Trial
from trimtab.training.calibrate import Calibrated
from trimtab.training.fit import Fitting, fit, predict
from trimtab.training.search import Search
from trimtab.training.split import Data
from trimtab.training.unwrap import take_apart

SHIPPED = ("boosted_trees", "dummy", "lightgbm", "linear", "random_forest", "xgboost")


def frame(n: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "x": np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n)),
            "c": pd.Series(rng.choice(["a", "b"], n)).where(rng.random(n) > 0.1),
            "at": pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(np.arange(n), unit="h"),
        }
    )


def search(task: Task, **changes: Any) -> Search:
    x = frame()
    signal = x["x"].fillna(0).to_numpy() + (x["c"] == "a").to_numpy()
    y = {
        "binary": (signal > 0.5).astype(np.int8),
        "multiclass": np.where(signal < 0, "low", np.where(signal < 1, "mid", "top")),
        "regression": signal,
    }[task]
    data = Data(x, y, x["at"].dt.tz_localize(None).to_numpy())
    tune = Tune(trials=3, sample=200)
    made = Search(
        data=data,
        how=Fitting(
            task,
            Train(candidates=("linear",), tune=tune),
            lambda style: preprocessor(["x"], ["c"], ["at"], style=style, task=task),
        ),
        metric=METRICS[task][0],
        validation=0.2,
    )
    if train := changes.pop("train", None):
        made = replace(made, how=replace(made.how, train=train))
    return replace(made, **changes)


@pytest.mark.parametrize("task", registry.TASKS)
@pytest.mark.parametrize("name", SHIPPED)
def test_family_trains_and_round_trips(name: str, task: Task) -> None:
    s, family = search(task), registry.get(name, task)
    params = few(family)
    model = fit(family, params, s.how, s.data)
    back = loader.loads(skops.io.dumps(model), "memory", name)
    assert np.array_equal(predict(back, s.data.frame, task), predict(model, s.data.frame, task))
    again = fit(family, params, s.how, s.data)
    assert np.array_equal(predict(again, s.data.frame, task), predict(model, s.data.frame, task))
    if name != "dummy":
        assert s.score(model, np.arange(240, 300)) > (0.3 if task == "regression" else 0.6)


def few(family: registry.Estimator) -> dict[str, Any]:
    """Return the family's defaults with few trees."""
    counts = dict.fromkeys({"n_estimators", "max_iter"} & set(family.defaults), 20)
    return {**family.defaults, **counts}


@pytest.mark.parametrize("task", registry.TASKS)
@pytest.mark.parametrize("name", SHIPPED)
def test_family_takes_weights_and_calibration(name: str, task: Task) -> None:
    s, family = search(task), registry.get(name, task)
    weight = np.random.default_rng(2).uniform(0, 3, 300)
    classes = task != "regression"
    train = Train(weight="w", balance=classes, calibrate="sigmoid" if classes else "none")
    how, data = replace(s.how, train=train), replace(s.data, weight=weight)
    model = fit(family, few(family), how, data)
    back = loader.loads(skops.io.dumps(model), "memory", name)
    given = predict(model, data.frame, task)
    assert np.array_equal(predict(back, data.frame, task), given)
    assert not np.array_equal(
        given, predict(fit(family, few(family), s.how, s.data), data.frame, task)
    )
    calibrated = isinstance(model.named_steps["estimator"], Calibrated)
    assert calibrated == (classes and name != "dummy")
    inner = take_apart(model).estimator
    assert not type(inner).__module__.startswith("trimtab.")
    assert inner.get_params().get("n_jobs") in (None, 1)


def test_a_family_without_weights_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))

    @registry.estimator("near", tasks=("binary",), style="linear")
    def build(task: Task, seed: int) -> Any:
        from sklearn.neighbors import KNeighborsClassifier

        return KNeighborsClassifier()

    s = search("binary")
    how = replace(s.how, train=Train(balance=True))
    with pytest.raises(TrimtabError, match="near takes no weights; take it out"):
        fit(registry.get("near", "binary"), {}, how, s.data)


def test_an_extra_that_is_missing_is_no_family(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "lightgbm" else find(name)
    )
    assert "lightgbm" not in registry.names()
    with pytest.raises(TrimtabError, match=r"install trimtab\[lightgbm\]"):
        registry.get("lightgbm", "binary")


def test_names_are_the_shipped_ones() -> None:
    assert registry.names() == SHIPPED


def test_a_user_registers_an_estimator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))

    @registry.estimator("tree", tasks=("regression",), defaults={"max_depth": 3})
    def build(task: Task, seed: int, **params: Any) -> Any:
        from sklearn.tree import DecisionTreeRegressor

        return DecisionTreeRegressor(random_state=seed, **params)

    assert "tree" in registry.names()
    with pytest.raises(TrimtabError, match="estimator tree does"):
        registry.get("tree", "binary")
    found = search("regression", train=Train(candidates=("tree",))).run()
    assert (found.family, found.params, len(found.trials)) == ("tree", {"max_depth": 3}, 1)
    with pytest.raises(TrimtabError, match="registered by"):
        registry.estimator("linear")(build)


def test_a_module_of_the_user_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    (tmp_path / "trimtab_estimators.py").write_text(
        "from trimtab.training.registry import estimator\n"
        "@estimator('mine')\ndef mine(task, seed):\n    return None\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "mine" in registry.names()


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(TrimtabError, match="choose from"):
        registry.get("boosted_tree", "binary")


def test_validation_is_the_newest_part_and_never_cuts_a_moment() -> None:
    moments = np.array([1, 2, 2, 3, 3, 3], dtype="datetime64[s]")
    fit_rows, judges = split.validation_tail(Data(frame(6), np.zeros(6), moments), 0.2, 0)
    assert (fit_rows.tolist(), judges.tolist()) == ([0, 1, 2], [3, 4, 5])
    without = Data(frame(100), np.zeros(100))
    one, two = split.validation_tail(without, 0.2, 7), split.validation_tail(without, 0.2, 7)
    assert np.array_equal(one[1], two[1])
    assert len(one[1]) == 20
    assert not set(one[0]) & set(one[1])


def test_a_linear_model_within_the_margin_is_preferred() -> None:
    def tried(family: str, value: float) -> Trial:
        return Trial(family, {}, value, 1.0)

    trials = [tried("boosted_trees", 0.70), tried("linear", 0.696), tried("linear", 0.697)]
    asked = search("binary", margin=0.005)
    assert asked._winner(trials) == trials[2]
    assert asked._winner([trials[0], tried("linear", 0.69)]) == trials[0]
    assert search("binary")._winner(trials) == trials[0]
