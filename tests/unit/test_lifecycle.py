"""The order of the stages and what stops whom; the stages themselves are stand-ins here."""

from types import SimpleNamespace
from typing import Any

import pytest
from tests.conftest import OpenEnv

from trimtab import lifecycle
from trimtab.environment import Environment
from trimtab.errors import ConfigError, DataError, NotReadyError, TrimtabError
from trimtab.ledger import champion
from trimtab.stages import (
    act,
    approve,
    backlog,
    evaluate,
    features,
    ingest,
    monitor,
    promote,
    publish,
    score,
    staleness,
    train,
    validate,
)
from trimtab.types import Approval, FileVerdict, GateVerdict

DATASET = """\
dataset: {name}
owner: shop
source: {{kind: files, uri: landing/{name}}}
key: [id]
columns: {{id: {{type: int}}, late: {{type: bool}}}}
"""
MODEL = """\
model: {name}
purpose: Tell the shop which parcel will be late.
owner: shop
data: {{from: good}}
target: {{column: late}}
"""


@pytest.fixture
def env(open_env: OpenEnv) -> Environment:
    return open_env(
        {
            "datasets/good.yaml": DATASET.format(name="good"),
            "datasets/bad.yaml": DATASET.format(name="bad"),
            "models/one.yaml": MODEL.format(name="one"),
            "models/two.yaml": MODEL.format(name="two"),
        }
    )


@pytest.fixture
def calls(env: Environment, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stand-ins that write what they were asked, with one new file and one challenger a model."""
    told: list[str] = []
    files = {"good": ["a"], "bad": ["b"]}

    def discover(env: Environment, dataset: str) -> list[Any]:
        return files.pop(dataset, [])

    def take(env: Environment, file: str) -> FileVerdict:
        if file == "b":
            raise DataError("broken")
        told.append(f"ingest {file}")
        return FileVerdict(dataset="good", name=file, sha256=file, verdict="accepted")

    def rows(env: Environment, model: str) -> Any:
        if env.ledger.latest("training", model):
            raise NotReadyError("no cause")
        return SimpleNamespace(key="k")

    def fit(env: Environment, model: str, key: str, *, progress: Any) -> Any:
        told.append(f"train {model}")
        progress("trial 1/6")
        env.ledger.append("training", model, key, {"version": 1})
        return SimpleNamespace(version=1)

    def judge(env: Environment, model: str, version: int) -> GateVerdict:
        told.append(f"evaluate {model}")
        verdict = GateVerdict(
            model=model,
            version=version,
            verdict="PROMOTE" if model == "one" else "REJECT",
            reasons=("r",),
            rules=(),
            primary="accuracy",
            value=0.5,
            interval=(0.4, 0.6),
            rows=10,
        )
        env.ledger.append("gate", model, f"{version}:0", verdict.to_json())
        return verdict

    def crown(env: Environment, model: str, version: int) -> Any:
        told.append(f"promote {model}")
        return champion.swap(
            env.ledger, model, version, expected=None, action="promote", actor="a", reason="r"
        )

    def age(env: Environment, model: str, version: int) -> Any:
        told.append(f"staleness {model}")
        env.ledger.append("staleness", model, str(version), {})

    def nothing(env: Environment, *_: Any) -> Any:
        raise NotReadyError("nothing to do")

    for module, name, stand_in in (
        (ingest, "discover", discover),
        (ingest, "ingest", take),
        (backlog, "unvalidated", lambda env, dataset: []),
        (backlog, "unpublished", lambda env, dataset: []),
        (features, "build_features", rows),
        (train, "train", fit),
        (evaluate, "evaluate", judge),
        (
            approve,
            "approve",
            lambda env, m, v: Approval(model=m, version=v, approved=True, actor="a"),
        ),
        (promote, "promote", crown),
        (score, "score", nothing),
        (monitor, "monitor", nothing),
        (act, "act", nothing),
        (staleness, "staleness", age),
        (validate, "validate", nothing),
        (publish, "publish", lambda env, dataset, shas: []),
    ):
        monkeypatch.setattr(module, name, stand_in)
    return told


def test_a_broken_dataset_and_a_refused_challenger_stop_nobody(
    env: Environment, calls: list[str]
) -> None:
    report = lifecycle.run(env)
    assert calls == [
        "ingest a",
        "train one",
        "evaluate one",
        "promote one",
        "staleness one",
        "train two",
        "evaluate two",
    ]
    assert report.failed == {"dataset bad": "broken"}
    assert not report.ok
    assert champion.current(env.ledger, "two") is None
    assert report.waiting["one: features"] == "no cause"
    assert report.seconds.keys() >= {"discover", "train", "promote"}


def test_it_tells_how_far_a_training_is(env: Environment, calls: list[str]) -> None:
    told: list[str] = []
    lifecycle.run(env, detail=told.append)
    assert told == ["one: trial 1/6", "two: trial 1/6"]


def test_without_news_it_does_nothing(env: Environment, calls: list[str]) -> None:
    lifecycle.run(env)
    calls.clear()
    report = lifecycle.run(env)
    assert calls == []
    assert report.done == []
    assert report.ok


def test_only_the_models_asked_for(env: Environment, calls: list[str]) -> None:
    lifecycle.run(env, ["two"])
    assert "train one" not in calls
    assert "train two" in calls
    with pytest.raises(ConfigError, match="no model 'three'"):
        lifecycle.run(env, ["three"])


def test_a_run_killed_after_training_goes_on(env: Environment, calls: list[str]) -> None:
    env.ledger.append("training", "one", "k", {"version": 1})
    lifecycle.run(env, ["one"])
    assert calls[-3:] == ["evaluate one", "promote one", "staleness one"]


def test_waiting_for_a_person_ends_the_run(
    env: Environment, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(*_: Any) -> Any:
        raise NotReadyError("one version 1 waits for ann")

    monkeypatch.setattr(approve, "approve", ask)
    report = lifecycle.run(env, ["one"])
    assert "promote one" not in calls
    assert report.waiting["one: approve"] == "one version 1 waits for ann"
    assert "model one" not in report.failed


def test_news_without_end_is_an_error(
    env: Environment, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(act, "act", lambda env, model: ["always"])
    with pytest.raises(TrimtabError, match="still something new after 50 rounds"):
        lifecycle.run(env, ["two"])
