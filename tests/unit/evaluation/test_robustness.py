"""Disturbed rows: real models stand them, a brittle one is named, a limit is kept."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from trimtab.errors import DependencyError
from trimtab.evaluation.disturbances import UNSEEN, WORDS
from trimtab.evaluation.robustness import Trial, disturb

KINDS = {"numeric": ("x", "idle"), "categorical": ("zone",), "temporal": ("at",)}


def found(
    new_case: Any, model: Any, frame: Any, y: Any, task: str = "binary", **limits: float
) -> Any:
    case = new_case(frame, y, {"robustness": limits}, task=task, model=model, **KINDS)
    return {name: disturb(Trial(case, model), name) for name in WORDS}


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("family", ["linear", "boosted_trees", "random_forest"])
def test_our_families_stand_everything(new_case: Any, trained: Any, family: str, task: str) -> None:
    model, frame, y = trained(family, task)
    for name, (record, rule) in found(new_case, model, frame, y, task).items():
        assert rule.passed, rule.reason
        assert record.name == name
        assert np.isfinite(record.value)
    record = found(new_case, model, frame, y, task)["shuffled"][0]
    assert record.column == "x"  # the label follows it
    assert record.change < -0.1


def test_the_same_content_is_disturbed_in_the_same_way(new_case: Any, trained: Any) -> None:
    model, frame, y = trained("linear")
    assert found(new_case, model, frame, y) == found(new_case, model, frame, y)


def test_a_limit_is_kept_or_refuses(new_case: Any, trained: Any) -> None:
    model, frame, y = trained("linear")
    told = found(new_case, model, frame, y, shuffled=0.05, noise=0.3)
    record, rule = told["shuffled"]
    assert not record.passed
    assert (rule.passed, rule.decides, rule.name) == (False, "reject", "robustness_shuffled")
    assert "one column shuffled (x, which matters most)" in rule.reason
    assert told["noise"][1].passed
    assert told["noise"][1].limit == -0.3


class Brittle:
    """A model that some disturbance breaks."""

    classes = (0, 1)

    def __init__(self, model: Any, breaks: Any) -> None:
        self.model, self.breaks = model, breaks

    def predict(self, frame: pd.DataFrame) -> Any:
        prediction = self.model.predict(frame)
        if isinstance(found := self.breaks(frame), np.ndarray):
            return np.where(found, np.nan, prediction)
        if found:
            raise ValueError("Input contains NaN")
        return prediction


@pytest.mark.parametrize(
    ("breaks", "name", "said"),
    [
        (lambda f: f["zone"].isna().any(), "missing", "ValueError: Input contains NaN"),
        (lambda f: (f["zone"] == UNSEEN).any(), "unseen", "never seen before"),
        (lambda f: (f["idle"].abs() > 50).to_numpy(), "extreme", "no number for"),
        (lambda f: not f["at"].dropna().is_monotonic_increasing, "shuffled", "shuffled (at)"),
    ],
)
def test_a_model_that_falls_over_is_refused_by_name(
    new_case: Any, trained: Any, breaks: Any, name: str, said: str
) -> None:
    model, frame, y = trained("boosted_trees")
    told = found(new_case, Brittle(model, breaks), frame, y)
    assert {each for each, (_, rule) in told.items() if not rule.passed} == {name}
    record, rule = told[name]
    assert not record.passed
    assert rule.decides == "reject"
    assert "fell over" in rule.reason
    assert said in rule.reason


def test_a_kind_of_column_that_is_not_there_says_so(new_case: Any, trained: Any) -> None:
    model, frame, y = trained("boosted_trees")
    case = new_case(frame, y, {}, model=model, numeric=("x", "idle"))
    record, rule = disturb(Trial(case, model), "unseen")
    assert record is None
    assert rule.passed


def test_a_store_that_is_away_is_no_finding(new_case: Any, trained: Any) -> None:
    model, frame, y = trained("boosted_trees")

    def away(rows: pd.DataFrame) -> bool:
        if rows["zone"].isna().any():
            raise DependencyError("the store is away")
        return False

    with pytest.raises(DependencyError):
        found(new_case, Brittle(model, away), frame, y)
