"""One budget over all families: defaults first, stop in time, what fell behind, where to begin."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from trimtab.config.model import Tune
from trimtab.errors import DataError
from trimtab.training import registry
from trimtab.training import search as module
from trimtab.training.registry import Estimator
from trimtab.training.search import Found, Search
from trimtab.training.split import Data
from trimtab.training.warm import best_params, inside


@pytest.fixture
def made(toy: Any) -> Any:
    """Return what makes a small search."""
    return toy.search


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the decorator of a registry that ends with the test."""
    registry.names()
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    return registry.estimator


def tree(**params: Any) -> Any:
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(random_state=0, **params)


def depths(trial: Any) -> dict[str, Any]:
    return {"max_depth": trial.suggest_int("max_depth", 1, 4)}


def test_it_begins_with_defaults_and_repeats_itself(made: Any) -> None:
    texts: list[str] = []
    first = made(progress=texts.append).run()
    assert first.trials[0].params == dict(registry.get("linear", "binary").defaults)
    assert first.default_value == first.trials[0].value
    assert first.value == max(trial.value for trial in first.trials)
    assert [trial.turn for trial in first.trials] == [1, 2, 3]
    assert len({str(trial.params) for trial in first.trials}) == 3
    assert [text.split(" linear")[0] for text in texts[:3]] == [f"trial {n}/3" for n in (1, 2, 3)]
    assert "(best " in texts[0]
    assert "30:00 left" in texts[0]
    assert texts[3] == str(first)
    again = made().run()
    assert [t.params for t in again.trials] == [t.params for t in first.trials]
    assert [t.value for t in again.trials] == [t.value for t in first.trials]


def test_every_family_has_its_defaults_whatever_the_trials(made: Any) -> None:
    names = ("linear", "dummy", "boosted_trees")
    found = made(Tune(trials=1, sample=200), names).run()
    assert [trial.family for trial in found.trials] == list(names)
    best = max(trial.value for trial in found.trials)
    assert found.default_value == found.value == best


def test_the_gain_is_over_the_best_of_all_defaults(made: Any, registered: Any) -> None:
    registered("shallow", defaults={"max_depth": 1}, space=depths)(
        lambda task, seed, **p: tree(**p)
    )
    found = made(Tune(trials=12, sample=200), ("linear", "shallow")).run()
    defaults = [trial.value for trial in found.trials[:2]]
    assert found.default_value == max(defaults)
    assert f"{found.value - max(defaults):+.4g} over the best defaults" in str(found)


def test_the_leader_has_two_of_three_trials(made: Any) -> None:
    found = made(Tune(trials=11, sample=200), ("linear", "boosted_trees")).run()
    counts = Counter(trial.family for trial in found.trials[2:])
    assert sorted(counts.values()) == [3, 6]
    assert counts[found.family] == 6


def test_no_family_begins_after_the_minutes_are_over(made: Any) -> None:
    names = ("linear", "boosted_trees")
    found = made(Tune(trials=50, sample=200, minutes=1e-9), names).run()
    assert [trial.family for trial in found.trials] == ["linear"]
    assert found.family == "linear"  # without one score there would be no model


def test_no_trial_begins_that_cannot_end_in_time(
    made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With 100 s, 40 s a trial and a clock that only trials move, two fit and a third does not."""
    seconds = {"now": 0.0}

    def took(began: float) -> float:
        seconds["now"] += 40.0
        return 40.0

    monkeypatch.setattr(module, "_since", took)
    tune = Tune(trials=50, sample=200, minutes=100 / 60)
    found = made(tune, now=lambda: seconds["now"]).run()
    assert len(found.trials) == 2
    assert seconds["now"] == 80.0


def test_a_trial_that_runs_over_is_accounted(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds, lasts = {"now": 0.0}, iter([10.0, 500.0, 1.0])

    def took(began: float) -> float:
        spent = next(lasts)
        seconds["now"] += spent
        return spent

    monkeypatch.setattr(module, "_since", took)
    found = made(Tune(trials=50, sample=200, minutes=1), now=lambda: seconds["now"]).run()
    assert [trial.seconds for trial in found.trials] == [10.0, 500.0]


def pruning(toy: Any, **changes: Any) -> tuple[Found, Search]:
    tune = Tune(**{"trials": 14, "sample": 5000, **changes})
    search = toy.search(tune, ("random_forest", "dummy"), toy.data(800))
    return search.run(), search


def test_a_trial_that_falls_behind_is_stopped_and_recorded(toy: Any) -> None:
    found, search = pruning(toy)
    states = Counter(trial.state for trial in found.trials)
    assert states["pruned"] >= 2
    assert states["pruned"] + states["complete"] == len(found.trials) == 14
    stopped = [trial for trial in found.trials if trial.state == "pruned"]
    assert {trial.family for trial in stopped} == {"random_forest"}
    assert all(trial.value is not None for trial in stopped)
    assert found.params not in [trial.params for trial in stopped]
    assert f"{states['pruned']} of them stopped early" in str(found)
    assert search.score(found.probe, found.validation) == pytest.approx(found.value)


def test_nothing_is_stopped_early_when_that_is_off(toy: Any) -> None:
    found, _ = pruning(toy, prune=False, trials=8)
    assert {trial.state for trial in found.trials} == {"complete"}


def test_a_family_that_cannot_grow_is_never_stopped_early(toy: Any) -> None:
    found = toy.search(Tune(trials=15, sample=200), ("linear",)).run()
    assert {trial.state for trial in found.trials} == {"complete"}


def test_a_trial_that_was_looked_at_is_what_a_whole_fit_is(toy: Any) -> None:
    """Else the winner's refit would be another model than the one that won."""
    tune = Tune(trials=1, sample=200)
    looked, whole = (
        toy.search(tune.model_copy(update={"prune": prune}), ("random_forest",)).run()
        for prune in (True, False)
    )
    assert looked.trials[0].value == whole.trials[0].value
    frame = toy.data().frame
    assert (looked.probe.predict_proba(frame) == whole.probe.predict_proba(frame)).all()
    assert not looked.probe.named_steps["estimator"].warm_start


def test_a_trial_that_raises_is_recorded_and_the_others_go_on(made: Any, registered: Any) -> None:
    @registered("odd", defaults={"max_depth": 2}, space=depths)
    def odd(task: Any, seed: int, *, max_depth: int) -> Any:
        if max_depth != 2:
            raise ValueError(f"not with {max_depth}")
        return tree(max_depth=max_depth)

    found = made(Tune(trials=6, sample=200), ("odd",)).run()
    failed = [trial for trial in found.trials if trial.state == "failed"]
    assert failed
    assert all(t.error.startswith("ValueError: not with") and t.value is None for t in failed)
    assert found.params == {"max_depth": 2}
    assert len(found.trials) == 6


def test_without_any_score_the_errors_are_told(made: Any, registered: Any) -> None:
    @registered("broken")
    def broken(task: Any, seed: int) -> Any:
        raise RuntimeError("no library")

    with pytest.raises(DataError, match="broken: RuntimeError: no library"):
        made(candidates=("broken",)).run()


def test_one_class_in_validation_is_an_error_with_advice(made: Any) -> None:
    search = made()
    one = Data(search.data.frame, np.r_[np.arange(240) % 2, np.zeros(60)], search.data.time)
    with pytest.raises(DataError, match="one class only"):
        replace(search, data=one).run()


def test_an_interrupted_trial_is_given_back(
    made: Any, registered: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed gently in its first trial, the same search goes on with the same parameters."""
    search = made(Tune(trials=2, sample=200))
    with monkeypatch.context() as patched:
        patched.setattr(Search, "_measured", interrupted)
        with pytest.raises(KeyboardInterrupt):
            search.run()
    found = search.run()
    assert [trial.state for trial in found.trials] == ["lost", "complete", "complete"]
    assert [trial.turn for trial in found.trials] == [1, 1, 2]
    assert found.trials[0].params == found.trials[1].params


def interrupted(self: Search, turn: Any) -> Any:
    raise KeyboardInterrupt


def test_known_parameters_come_after_the_defaults(made: Any) -> None:
    known = {"linear": {"regularisation": 12.5}}
    found = made(Tune(trials=4, sample=200), ("linear", "boosted_trees"), known=known).run()
    assert [(t.family, t.params.get("regularisation")) for t in found.trials[:3]] == [
        ("linear", 1.0),
        ("boosted_trees", None),
        ("linear", 12.5),
    ]


LINEAR = registry.get("linear", "binary")


def trial(value: float | None, state: str = "complete", **params: Any) -> dict[str, Any]:
    return {"family": "linear", "params": params, "value": value, "state": state}


def test_the_best_complete_trial_is_where_a_search_begins() -> None:
    trials = [
        trial(0.6, regularisation=3.0),
        trial(0.8, regularisation=5.0),
        trial(0.9, "pruned", regularisation=7.0),
        trial(None, "failed", regularisation=9.0),
    ]
    assert best_params(trials, [LINEAR]) == {"linear": {"regularisation": 5.0}}
    assert best_params([], [LINEAR]) == {}
    assert best_params([trial(0.9, regularisation=1.0)], [LINEAR]) == {}  # the defaults themselves


def test_a_space_that_changed_is_tolerated() -> None:
    def space(trial: Any) -> dict[str, Any]:
        return {
            "kept": trial.suggest_int("kept", 1, 10),
            "moved": trial.suggest_float("moved", 0.1, 1.0),
            "new": trial.suggest_categorical("new", ["a", "b"]),
        }

    defaults = {"kept": 1, "moved": 0.5, "new": "a"}
    family = Estimator("f", lambda *_: None, defaults=defaults, space=space)
    old = {"kept": 7, "moved": 40.0, "gone": 3}
    assert inside(family, old) == {"kept": 7, "moved": 0.5, "new": "a"}
    assert inside(family, {"kept": "many"}) == defaults
