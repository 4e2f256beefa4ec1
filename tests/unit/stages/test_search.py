"""search: workers of one study beside train, which makes the version out of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from trimtab.environment import Environment
from trimtab.errors import NotReadyError
from trimtab.stages.features import build_features
from trimtab.stages.search import earlier, search
from trimtab.stages.train import train
from trimtab.types import Candidate


def opened(open_env: Any, rides: Any, publish: Any, tune: str) -> Environment:
    """The rides with a budget for the model ``late``."""
    model = rides.FILES["models/late.yaml"]
    assert "tune: {" in model
    head, _, rest = model.partition("tune: {")
    text = f"{head}tune: {{{tune}}}{rest.partition('}')[2]}"
    env: Environment = open_env({**rides.FILES, "models/late.yaml": text})
    rides.publish_all(env, publish)
    return env


@pytest.fixture
def env(open_env: Any, rides: Any, publish: Any) -> Environment:
    return opened(open_env, rides, publish, "trials: 4, parallel: 2")


def record(env: Environment, candidate: Candidate) -> dict[str, Any]:
    made: dict[str, Any] = json.loads((env.lake / candidate.uri / "model.json").read_text())
    return made


def test_no_feature_set(env: Environment) -> None:
    with pytest.raises(NotReadyError, match="build the features first"):
        search(env, "late", "unknown")


def test_workers_search_and_train_makes_the_version(env: Environment) -> None:
    key = build_features(env, "late").key
    texts: list[str] = []
    first = search(env, "late", key, 1, progress=texts.append)
    second = search(env, "late", key, 2)
    assert (first.trials, second.trials) == (4, 0)
    assert [text.split()[1] for text in texts] == [f"{n}/4" for n in range(1, 5)]
    told: list[str] = []
    candidate = train(env, "late", key, progress=told.append)
    assert not [text for text in told if text.startswith("trial")]
    assert candidate.key == first.key
    made = record(env, candidate)
    assert candidate.trials == len(made["trials"]) == 4
    assert {trial["worker"] for trial in made["trials"]} == {1}
    assert {"seconds", "state", "turn", "value", "params"} <= set(made["trials"][0])
    assert search(env, "late", key, 1).trials == 0  # a zombie after the end


def test_train_finishes_what_the_workers_left(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trimtab.training.search import Search

    key, measured = build_features(env, "late").key, Search._measured

    def dies(self: Search, turn: Any) -> Any:
        if turn.number == 3:
            raise KeyboardInterrupt
        return measured(self, turn)

    with monkeypatch.context() as patched:
        patched.setattr(Search, "_measured", dies)
        with pytest.raises(KeyboardInterrupt):
            search(env, "late", key, 1)
    made = record(env, train(env, "late", key))
    states = [(trial["turn"], trial["worker"], trial["state"]) for trial in made["trials"]]
    assert states[:2] == [(1, 1, "complete"), (2, 1, "complete")]
    assert [state for state in states if state[2] == "lost"] == [(3, 1, "lost")]
    assert sorted(t for t, w, state in states if w == 0 and state != "lost") == [3, 4]


def test_a_training_killed_after_the_search_does_not_search_again(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trimtab.training import package

    key = build_features(env, "late").key
    with monkeypatch.context() as patched:
        patched.setattr(package, "write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(env, "late", key)
    texts: list[str] = []
    candidate = train(env, "late", key, progress=texts.append)
    assert candidate.trials == 4
    assert not [text for text in texts if text.startswith("trial")]


def interrupted(*_: Any, **__: Any) -> Any:
    raise KeyboardInterrupt


def test_one_worker_and_a_shared_study_find_the_same(
    open_env: Any, rides: Any, publish: Any
) -> None:
    """The trials depend on rows, seed and order alone, wherever the study lives."""
    found = []
    for parallel in (1, 2):
        env = opened(open_env, rides, publish, f"trials: 4, parallel: {parallel}")
        made = record(env, train(env, "late", build_features(env, "late", force=True).key))
        found.append([(t["family"], t["params"], t["value"]) for t in made["trials"]])
    assert found[0] == found[1]


def retrained(env: Environment, seed: int) -> dict[str, Any]:
    """Train ``late`` once more, as another candidate."""
    spec = env.project.models["late"]
    again = spec.model_copy(update={"train": spec.train.model_copy(update={"seed": seed})})
    env.project.models["late"] = again  # type: ignore[index]
    return record(env, train(env, "late", build_features(env, "late", force=True).key))


def test_a_search_begins_where_the_last_one_ended(open_env: Any, rides: Any, publish: Any) -> None:
    env = opened(open_env, rides, publish, "trials: 4")
    first = record(env, train(env, "late", build_features(env, "late").key))
    assert first["warm_start"] == {}
    best = max((t for t in first["trials"] if t["value"]), key=lambda t: t["value"])
    again = retrained(env, 7)
    known = again["warm_start"].get(best["family"], best["params"])
    assert known == best["params"]
    tried = [t["params"] for t in again["trials"] if t["family"] == best["family"]]
    assert best["params"] in tried[:2]
    # what parameters were found on was seen, too; defaults that win were found on nothing
    seen = first["features"]["key"] if again["warm_start"] else None
    assert (first["tuned_on"], again["tuned_on"]) == (None, seen)
    last = earlier(env, "late", "another")
    assert last is not None
    assert last["features"]["key"] == first["features"]["key"]


def test_a_record_that_is_gone_starts_cold(
    open_env: Any, rides: Any, publish: Any, caplog: pytest.LogCaptureFixture
) -> None:
    env = opened(open_env, rides, publish, "trials: 3")
    first = train(env, "late", build_features(env, "late").key)
    Path(env.lake / first.uri / "model.json").unlink()
    assert retrained(env, 7)["warm_start"] == {}
    assert "starts cold" in caplog.text


def test_a_warm_start_can_be_off(open_env: Any, rides: Any, publish: Any) -> None:
    env = opened(open_env, rides, publish, "trials: 3, warm_start: false")
    train(env, "late", build_features(env, "late").key)
    assert retrained(env, 7)["warm_start"] == {}
