import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from trimtab import lifecycle
from trimtab.environment import open_environment
from trimtab.errors import DataError
from trimtab.ledger import champion
from trimtab.types import Champion

Call = Callable[..., Result]
Document = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    "arguments",
    [
        ["frobnicate"],
        ["status", "--colour"],
        ["approve", "lateness"],
        ["approve", "lateness", "one", "--reason", "x"],
        ["rollback", "lateness"],
        ["rollback", "lateness", "--reason", "x", "--at", "last week"],
        ["rollback", "lateness", "--reason", "x", "--at", "2026-03-03T12:00"],
        ["rollback", "lateness", "--reason", "x", "--at", "2026-03-03T12:00Z", "--to", "1"],
        ["block", "lateness", "1"],
        ["score", "lateness", "/nowhere.csv", "--out", "x"],
        ["demo", "--months", "2"],
        ["up", "--airflow-port", "99999"],
    ],
)
def test_wrong_usage_is_two(call: Call, arguments: list[str]) -> None:
    assert call(*arguments).exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["rollback", "lateness", "--reason", "because"], "no champion"),
        (["approve", "lateness", "1", "--reason", "fine"], "not been judged"),
        (["rollback", "nobody", "--reason", "because"], "nobody"),
        (["block", "lateness", "1", "--reason", "because"], "not trained"),
        (["unblock", "nobody", "1", "--reason", "because"], "nobody"),
        (["run", "nobody"], "no model 'nobody'"),
    ],
)
def test_a_refusal_is_one_with_the_reason_and_no_traceback(
    call: Call, document: Document, arguments: list[str], says: str
) -> None:
    result = call(*arguments)
    assert result.exit_code == 1
    assert says in result.stderr
    assert "Traceback" not in result.output
    assert says in document(*arguments)["error"]["message"]


def test_debug_shows_the_traceback(call: Call) -> None:
    assert "Traceback" in call("rollback", "lateness", "--reason", "x", "--debug").stderr


def test_status_of_an_empty_project(call: Call, document: Document) -> None:
    assert call("status").exit_code == 0
    found = document("status")
    assert [row["model"] for row in found["models"]] == ["lateness"]
    assert found["models"][0]["champion"] is None
    assert found["datasets"][0]["rows"] == 0


def test_status_names_the_champion(document: Document, project: Path) -> None:
    env = open_environment(home=project / "home", config=project / "config")
    champion.swap(
        env.ledger, "lateness", 3, expected=None, action="promote", actor="auto", reason="good"
    )
    asked = {"model": "lateness", "partition": "p", "retrain": True, "reason": "drift"}
    env.ledger.append("retrain_request", "lateness", "abc", asked)
    row = document("status")["models"][0]
    assert row["champion"] == 3
    assert row["open_requests"] == ["abc"]


def test_down_without_anything_running(document: Document) -> None:
    assert document("down") == {"stopped": False, "killed": 0}


def test_run_says_what_it_did_and_fails_at_the_end(
    call: Call, document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    won = Champion(
        model="lateness", version=1, generation=1, action="promote", actor="auto", reason="r"
    )

    def run(env: Any, models: Any, progress: Any, detail: Any) -> lifecycle.Report:
        progress("promote", "lateness", None)
        progress("promote", "lateness", won)
        return lifecycle.Report(
            done=[("promote", "lateness", won)],
            failed={"dataset sales": str(DataError("broken"))},
            seconds={"promote": 1.0},
        )

    monkeypatch.setattr(lifecycle, "run", run)
    result = call("run")
    assert result.exit_code == 1
    assert "lateness v1 is champion" in result.stdout
    assert "dataset sales: broken" in result.stderr
    found = document("run")
    assert found["done"][0]["record"]["version"] == 1
    assert found["failed"] == {"dataset sales": "broken"}


def test_documents_have_the_documented_keys(document: Document) -> None:
    text = (Path(__file__).parents[3] / "docs/json.md").read_text()
    documented = {
        part.split("`")[0]: json.loads(part.split("```json\n")[1].split("```")[0])
        for part in text.split("\n## `trimtab ")[1:]
        if "```json" in part
    }
    for verb in ("status", "check", "down", "run"):
        assert document(verb).keys() == documented[verb].keys(), verb
    row = document("status")
    assert row["models"][0].keys() == documented["status"]["models"][0].keys()
    assert row["datasets"][0].keys() == documented["status"]["datasets"][0].keys()
    refused = document("rollback", "lateness", "--reason", "x")
    assert refused["error"].keys() == documented["rollback"]["error"].keys()
    assert set(documented) >= {"demo", "up", "score", "approve", "schema"}
