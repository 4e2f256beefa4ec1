"""`trimtab features`, as a person and as a program calls it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from trimtab.environment import Environment, open_environment

Call = Callable[..., Any]
FILES = {
    "datasets/queue": """
dataset: queue
owner: ops
source: {kind: files, uri: landing/queue}
key: [id]
time: at
columns:
  id: {type: int}
  at: {type: time}
  gate: {type: category}
  lane: {type: int}
  wait: {type: float}
""",
    "features/waits": """
view: waits
owner: ops
description: How long people waited last.
from: queue
entity: [gate, lane]
columns: [wait]
derive: {minutes: {type: float, sql: wait / 60, unit: minute}}
online: true
""",
}
ONE = ("--key", "gate=A", "--key", "lane=1")


@pytest.fixture
def env(project: Path, publish: Any, monkeypatch: pytest.MonkeyPatch) -> Environment:
    for name, text in FILES.items():
        file = project / "config" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.setenv("TRIMTAB_ONLINE", f"sqlite:///{project / 'home' / 'online.db'}")
    opened = open_environment()
    at = pl.datetime_range(
        pl.datetime(2026, 1, 1, time_zone="UTC"),
        pl.datetime(2026, 1, 2, time_zone="UTC"),
        "6h",
        eager=True,
    )
    rows = pl.DataFrame({"id": range(5), "at": at, "gate": "A", "lane": 1}).with_columns(
        wait=pl.col("id") * 60.0
    )
    publish(opened, "queue", rows)
    return opened


def test_the_way_of_a_person(env: Environment, call: Call) -> None:
    assert "waits" in call("features", "list").stdout
    early = call("features", "get", "waits", *ONE)
    assert early.exit_code == 1
    assert "run 'trimtab features materialize waits'" in early.output
    done = call("features", "materialize", "waits")
    assert "waits: all of queue version 0 online, 1 rows" in done.stdout
    text = call("features", "get", "waits", *ONE).stdout
    assert "gate A, lane 1: 2026-01-02 00:00:00 UTC" in text
    assert "minutes" in text
    shown = call("features", "show", "waits").stdout
    assert "wait / 60" in shown
    assert "How long people waited last." in shown


def test_documents(env: Environment, document: Call) -> None:
    (made,) = document("features", "materialize", "waits")["materializations"]
    assert (made["rows"], made["version"]) == (1, 0)
    (view,) = document("features", "list")["views"]
    assert view["entity"] == ["gate", "lane"]
    assert view["online"] == 0
    two = (*ONE, "--key", "gate=B", "--key", "lane=2")
    told = document("features", "get", "waits", *two)
    assert [one["values"] for one in told["entities"]] == [{"wait": 240.0, "minutes": 4.0}, None]
    before = document("features", "get", "waits", *ONE, "--offline", "--at", "2026-01-01T13:00")
    assert before["source"] == "table"
    assert before["entities"][0]["values"] == {"wait": 120.0, "minutes": 2.0}
    shown = document("features", "show", "waits")
    assert shown["column_types"][1]["from"] == "wait / 60"
    assert len(shown["materializations"]) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("get", "waits", "--key", "gate"), 2, "not COLUMN=VALUE"),
        (("get", "waits", "--key", "gate=A"), 1, "named by gate, lane, not by gate"),
        (("get", "waits", *ONE, "--at", "noon"), 2, "write it like"),
        (("get", "waits", "--key", "gate=A", "--key", "lane=one"), 1, "lane is of type int"),
        (("get", "weights", *ONE), 1, "there is no view 'weights'"),
        (("materialize", "waits", "weights"), 1, "there is no view 'weights'"),
    ],
)
def test_wrong_usage_says_what_is_right(
    env: Environment, call: Call, arguments: tuple[str, ...], code: int, words: str
) -> None:
    result = call("features", *arguments)
    assert result.exit_code == code
    assert words in " ".join(result.output.replace("│", " ").split())
    assert env.ledger.events("materialization") == []


def test_the_doctor_asks_the_online_store(
    env: Environment, document: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def finding() -> dict[str, Any]:
        found = document("doctor")["findings"]
        return next(item for item in found if item["what"] == "online store")

    assert finding()["status"] == "ok"
    monkeypatch.setenv("TRIMTAB_ONLINE", "redis://me:secret@127.0.0.1:1/0")
    refused = finding()
    assert refused["status"] == "refused"
    assert "127.0.0.1:1" in refused["text"]
    assert "secret" not in refused["text"]
