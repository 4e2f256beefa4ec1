"""`trimtab data`, `lineage` and `retention`, as a person and as a program calls them."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from trimtab.clock import FixedClock, SystemClock
from trimtab.environment import Environment, open_environment
from trimtab.stages.ingest import discover, ingest
from trimtab.stages.publish import publish
from trimtab.types import Candidate, FeatureSet, Scoring, Validation

Call = Callable[..., Any]
FILES = {
    "mon.csv": "1,10.5,true\n2,20,false\n3,-1,true\n"
    + "".join(f"{i},1,true\n" for i in range(90, 120)),
    "tue.csv": "4,40,true\n5,50,false\n1,10.5,true\n",
}


@pytest.fixture
def env(project: Path) -> Environment:
    """Two files published; one row was bad, another one was there already."""
    opened = open_environment(clock=SystemClock())
    moment = (opened.clock.now() - timedelta(hours=1)).timestamp()
    for name, rows in FILES.items():
        file = opened.landing("sales") / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("id,amount,late\n" + rows)
        os.utime(file, (moment, moment))
        (landed,) = discover(opened, "sales")
        verdict = ingest(opened, landed)
        passed = Validation(
            dataset="sales", sha256=verdict.sha256, passed=True, staged=verdict.staged
        )
        opened.ledger.append("validation", "sales", verdict.sha256, passed.to_json())
        publish(opened, "sales", [verdict.sha256])
    return opened


def test_log_tells_who_when_what(env: Environment, document: Call, call: Call) -> None:
    first, second = document("data", "log", "sales")["versions"]
    assert (first["version"], first["file"], first["accepted"]) == (0, "mon.csv", 32)
    assert first["quarantined"] == {"out_of_range": 1}
    assert (second["added"], second["quarantined"], second["total"]) == (
        2,
        {"duplicate_key": 1},
        34,
    )
    assert (second["by"], second["operation"], second["kept"]) == ("trimtab", "append", True)
    text = call("data", "log", "sales").stdout
    assert "mon.csv" in text
    assert "tue.csv" in text


def test_show_tells_what_a_version_is_made_of(env: Environment, document: Call, call: Call) -> None:
    shown = document("data", "show", "sales")
    assert shown["columns"] == {"id": "int64", "amount": "double", "late": "bool"}
    assert {f["name"]: f["rows"] for f in shown["files"]} == {"mon.csv": 32, "tue.csv": 2}
    assert shown["partition_rows"] == {"mon": 32, "tue": 2}
    amount = shown["statistics"]["amount"]
    assert (amount["count"], amount["nulls"], amount["min"], amount["max"]) == (34, 0, 1.0, 50.0)
    assert shown["content"].split(":")[1] == "34"
    assert len(document("data", "show", "sales", 0)["files"]) == 1
    assert "tue.csv" in call("data", "show", "sales").stdout


def test_diff_counts_rows_by_key_and_compares_columns(
    env: Environment, document: Call, call: Call
) -> None:
    found = document("data", "diff", "sales", 0, 1)
    assert found["rows"] == {"added": 2, "removed": 0, "changed": 0, "unchanged": 32}
    assert found["columns"] == {"added": {}, "removed": {}, "changed": {}}
    assert found["statistics"]["amount"]["before"]["max"] == 20.0
    assert found["statistics"]["amount"]["after"]["max"] == 50.0
    back = document("data", "diff", "sales", 1, 0)["rows"]
    assert (back["added"], back["removed"]) == (0, 2)
    assert "added" in call("data", "diff", "sales", 0, 1).stdout


def test_diff_sees_changed_rows(env: Environment, document: Call) -> None:
    file = env.landing("sales") / "tue.csv"
    file.write_text("id,amount,late\n4,41,true\n6,60,false\n")
    os.utime(file, (1_700_000_000, 1_700_000_000))
    verdict = ingest(env, discover(env, "sales")[0])
    passed = Validation(dataset="sales", sha256=verdict.sha256, passed=True, staged=verdict.staged)
    env.ledger.append("validation", "sales", verdict.sha256, passed.to_json())
    publish(env, "sales", [verdict.sha256])
    rows = document("data", "diff", "sales", 1, 2)["rows"]
    assert rows == {"added": 1, "removed": 1, "changed": 1, "unchanged": 32}


def test_revert_makes_a_version_and_names_the_person(env: Environment, document: Call) -> None:
    made = document("data", "revert", "sales", 0, "--reason", "bad tuesday", "--by", "ann")
    assert (made["version"], made["target"], made["actor"], made["total_rows"]) == (2, 0, "ann", 32)
    last = document("data", "log", "sales")["versions"][-1]
    assert (last["by"], last["reason"], last["removed"]) == ("ann", "bad tuesday", 2)
    assert len(document("data", "show", "sales")["files"]) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("data", "show", "sales", 9), "versions: 0, 1"),
        (("data", "diff", "sales", 0, 9), "versions: 0, 1"),
        (("data", "revert", "sales", 1, "--reason", "x"), "same rows"),
        (("data", "log", "nothing"), "nothing"),
        (("lineage", "nothing"), "knows no dataset, model or file"),
        (("lineage", "sales@7"), "versions: 0, 1"),
    ],
)
def test_what_cannot_be_is_refused(
    env: Environment, call: Call, arguments: tuple[Any, ...], message: str
) -> None:
    result = call(*arguments)
    assert result.exit_code == 1
    assert message in result.stderr


@pytest.fixture
def trained(env: Environment) -> Environment:
    """A model trained on the first version; the second file scored with it."""
    features = FeatureSet(
        model="lateness",
        key="k1",
        uri="f",
        task="binary",
        train_rows=20,
        holdout_rows=12,
        versions={"sales": 0},
    )
    candidate = Candidate(
        model="lateness",
        version=1,
        key="c1",
        features=features,
        uri="m",
        manifest={},
        estimator="linear",
        params={},
        validation={},
        trials=1,
        config_hash="h",
    )
    env.ledger.append("features", "lateness", "k1", features.to_json())
    env.ledger.append("training", "lateness", "c1", candidate.to_json())
    answer = {"model": "lateness", "version": 1, "approved": True, "actor": "ann", "reason": "fine"}
    env.ledger.append("approval", "lateness", "1", answer)
    second = env.ledger.events("dataset_version", "sales")[1]
    scoring = Scoring(
        model="lateness",
        version=1,
        dataset_version=1,
        sha256=second.key,
        partitions=("tue",),
        rows=2,
        table_version=0,
    )
    env.ledger.append("scoring", "lateness", second.key, scoring.to_json())
    return env


def kinds(node: dict[str, Any]) -> list[tuple[str, str]]:
    return [(child["kind"], child["name"]) for child in node["children"]]


def test_lineage_of_a_version(trained: Environment, document: Call) -> None:
    told = document("lineage", "sales@0")
    assert kinds(told) == [("file", "mon.csv"), ("model version", "lateness@1")]
    assert told["children"][0]["facts"]["sha256"] == trained.ledger.events("file", "sales")[0].key
    assert kinds(document("lineage", "sales")) == [("file", "mon.csv"), ("file", "tue.csv")]


def test_lineage_of_a_file(trained: Environment, document: Call, call: Call) -> None:
    first = document("lineage", "mon.csv")
    assert first["children"][0]["facts"]["versions"] == [0, 1]
    assert kinds(first)[1:] == [("model version", "lateness@1")]
    assert kinds(first["children"][1]) == [("approval", "approved"), ("predictions", "tue")]
    assert first["children"][1]["children"][0]["facts"]["by"] == "ann"
    second = document("lineage", trained.ledger.events("file", "sales")[1].key[:10])
    assert (second["name"], kinds(second)[1:]) == ("tue.csv", [("predictions", "tue")])
    assert "approval approved" in call("lineage", "mon.csv").stdout


def test_lineage_of_a_model(trained: Environment, document: Call) -> None:
    told = document("lineage", "lateness")
    assert kinds(told)[0] == ("dataset version", "sales@0")
    assert kinds(told["children"][0]) == [("file", "mon.csv")]


def test_retention_lists_and_then_removes(
    trained: Environment, document: Call, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = FixedClock(trained.clock.now() + timedelta(days=40))
    monkeypatch.setattr("trimtab.environment.SystemClock", lambda: later)
    monkeypatch.setattr(
        "trimtab.environment.open_environment",
        lambda **places: open_environment(clock=later, **places),
    )
    listed = document("retention")["datasets"][0]
    assert listed["files"]
    assert all(trained.store.exists(file) for file in listed["files"])
    assert "add --apply" in call("retention").stdout
    done = document("retention", "--apply", "--by", "ann")
    assert done["datasets"][0]["files"] == listed["files"]
    assert not any(trained.store.exists(file) for file in listed["files"])
    assert document("data", "show", "sales", 0)["total_rows"] == 32
    assert call("retention", "--keep", "soon").exit_code == 2
