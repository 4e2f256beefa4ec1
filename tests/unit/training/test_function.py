"""The user's own fit: what the function gets, what it may return, and what can be saved of it."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from trimtab import trusted
from trimtab.config.model import Task, Train
from trimtab.errors import IntegrityError, TrimtabError
from trimtab.features.pipeline import preprocessor
from trimtab.serving import loader
from trimtab.training import package, registry
from trimtab.training.fit import Fitting, fit, predict
from trimtab.training.function import Context, training_function
from trimtab.training.search import Search
from trimtab.training.split import Data
from trimtab.training.walk import walk

N = 120
MODULE = """
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from trimtab.training.registry import allow
from trimtab.training.function import training_function

class Other(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self
    def predict_proba(self, X):
        return np.tile([0.25, 0.75], (len(X), 1))

@allow
class Mine(Other):
    pass

@training_function("mine")
def mine(frame, y, context):
    return Mine().fit(frame, y)

@training_function("other")
def other(frame, y, context):
    return Other().fit(frame, y)
"""


def data() -> Data:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=N), "s": pd.Series(["a b"] * N, dtype="str")})
    return Data(
        frame,
        (frame["x"] > 0).to_numpy().astype(np.int8),
        time=np.arange(N).astype("datetime64[h]"),
        weight=np.arange(N).astype(float) + 1,
    )


def how(name: str, task: Task = "binary", **train: Any) -> Fitting:
    def none(style: Any) -> Any:
        raise AssertionError("a training function takes the rows as they are")

    return Fitting(task, Train(function=name, seed=7, **train), none)


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    registry.names()  # the shipped ones, before the copy
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    monkeypatch.setattr(trusted, "_OWN", set())


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A module of the user's on the path."""
    (tmp_path / "trimtab_estimators.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("trimtab_estimators", None)  # of another test
    yield
    sys.modules.pop("trimtab_estimators", None)


def logistic(frame: Any, y: Any, context: Context) -> Any:
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    step = make_column_transformer((StandardScaler(), ["x"]))
    model = make_pipeline(step, LogisticRegression(random_state=context.seed))
    return model.fit(frame, y, logisticregression__sample_weight=context.weight)


def test_it_gets_frames_and_its_context() -> None:
    seen: list[Any] = []

    @training_function("curious")
    def curious(frame: Any, y: Any, context: Context) -> Any:
        seen.append((frame.copy(), y.copy(), context))
        frame["x"] = 0.0  # its own copy
        return logistic(seen[-1][0], y, context)

    made, rows = data(), np.arange(10, 60)
    fit(registry.get("curious", "binary"), {}, how("curious", weight="w"), made, rows)
    frame, y, context = seen[0]
    assert frame.equals(made.frame.iloc[rows].reset_index(drop=True))
    assert made.frame["x"].iloc[10] != 0
    assert np.array_equal(y, made.y[rows])
    assert (context.task, context.seed, context.group) == ("binary", 7, None)
    assert np.array_equal(context.time, made.time[rows])  # type: ignore[index]
    assert context.weight.mean() == pytest.approx(1)


def test_it_takes_the_place_of_candidates_and_shares_everything_else() -> None:
    training_function("logistic")(logistic)
    assert "logistic" in registry.functions()
    assert "logistic" not in registry.names()
    made, asked = data(), how("logistic", calibrate="sigmoid")
    texts: list[str] = []
    found = Search(made, asked, "roc_auc", 0.2, texts.append).run()
    assert (found.family, found.params, len(found.trials)) == ("logistic", {}, 1)
    assert found.value > 0.95
    family = registry.get("logistic", "binary")
    assert walk(family, {}, asked, made, "roc_auc", 3).mean > 0.95
    model = fit(family, {}, asked, made)
    back = loader.loads(package.dumped("model", model), "memory")
    given = predict(model, made.frame, "binary")
    assert np.array_equal(predict(back, made.frame, "binary"), given)
    plain = fit(family, {}, replace(asked, train=Train(function="logistic")), made)
    assert not np.array_equal(given, predict(plain, made.frame, "binary"))


class Odd:
    """Nothing like a model unless told so."""

    classes_ = np.array([0, 1])

    def __init__(self, **answers: Any) -> None:
        for name, answer in answers.items():
            setattr(self, name, answer)


def _fails(frame: Any) -> Any:
    raise KeyError("y")


@pytest.mark.parametrize(
    ("returned", "task", "said"),
    [
        (None, "binary", "returned a builtins.NoneType, which has no predict_proba"),
        (Odd(), "regression", "Odd, which has no predict; return a fitted regression model"),
        (Odd(predict_proba=_fails), "binary", "which cannot predict_proba .* KeyError: 'y'"),
        (
            Odd(predict=lambda f: np.zeros((len(f), 2))),
            "regression",
            r"gives \(5, 2\), not one num",
        ),
        (Odd(predict_proba=lambda f: np.zeros(len(f))), "binary", r"gives \(5,\), not 2 numbers"),
        (
            Odd(predict_proba=len, classes_=["a"]),
            "binary",
            r"are \['a'\], not the target's \[0, 1\]",
        ),
    ],
)
def test_what_cannot_predict_is_refused(returned: Any, task: Task, said: str) -> None:
    training_function("odd")(lambda frame, y, context: returned)
    with pytest.raises(TrimtabError, match=f"training function odd .*{said}"):
        fit(registry.get("odd", task), {}, how("odd", task), data())


@pytest.mark.usefixtures("module")
def test_a_class_of_the_users_own_loads_when_code_allows_it() -> None:
    model = fit(registry.get("mine", "binary"), {}, how("mine"), data())
    packed = package.dumped("model", model)
    sys.modules.pop("trimtab_estimators")  # a process that only serves
    trusted._OWN.clear()
    back = loader.loads(packed, "memory")
    assert predict(back, data().frame, "binary")[0] == 0.75


@pytest.mark.usefixtures("module")
def test_a_class_that_nobody_allowed_is_refused_before_it_is_packaged() -> None:
    import skops.io

    model = fit(registry.get("other", "binary"), {}, how("other"), data())
    with pytest.raises(TrimtabError, match=r"Other, which .* registry\.allow\(TheClass\)"):
        package.dumped("model", model)
    with pytest.raises(IntegrityError, match=r"trimtab_estimators\.Other, which trimtab does not"):
        loader.loads(skops.io.dumps(model), "memory")


def test_only_what_can_be_found_again_is_allowed() -> None:
    class Local:
        pass

    with pytest.raises(TrimtabError, match="names a class by its module"):
        trusted.allow(Local)
    with pytest.raises(TrimtabError, match="names a class by its module"):
        trusted.allow(int)


def test_a_function_in_a_model_is_refused() -> None:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer
    from sklearn.tree import DecisionTreeClassifier

    @training_function("sly")
    def sly(frame: Any, y: Any, context: Context) -> Any:
        step = FunctionTransformer(pd.DataFrame.to_numpy)
        return make_pipeline(step, DecisionTreeClassifier()).fit(frame[["x"]], y)

    model = sly(data().frame, data().y, Context("binary", 0, None, None, None))
    with pytest.raises(TrimtabError, match=r"model (holds|cannot be saved)"):
        package.dumped("model", model)


def test_the_page_about_training_runs(
    shapes: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (Path(__file__).parents[3] / "docs" / "training.md").read_text()
    blocks = [part.split("```")[0] for part in page.split("```python\n")[1:]]
    (tmp_path / "trimtab_estimators.py").write_text("\n".join(blocks))
    monkeypatch.syspath_prepend(str(tmp_path))
    assert {"extra_trees"} < set(registry.names())
    tickets, visits = shapes.tickets(200).to_pandas(), shapes.visits(10).to_pandas().dropna()
    made = Data(tickets.astype({"subject": "str"}), tickets["team"].to_numpy().astype(str))
    model = fit(registry.get("words", "multiclass"), {}, how("words", "multiclass"), made)
    assert package.dumped("words", model)
    numbers = visits[["age", "dose"]]
    asked = Fitting("regression", Train(), lambda s: preprocessor(["age", "dose"], style=s))
    trees = registry.get("extra_trees", "regression")
    model = fit(trees, dict(trees.defaults), asked, Data(numbers, visits["pressure"].to_numpy()))
    assert package.dumped("extra_trees", model)
    sys.modules.pop("trimtab_estimators")
