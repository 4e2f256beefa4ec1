import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from trimtab import lifecycle
from trimtab.environment import Environment, open_environment
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
        ["recalibrate", "lateness"],
        ["recalibrate", "--reason", "x"],
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
        (["recalibrate", "nobody", "--reason", "because"], "no model 'nobody'"),
        (["recalibrate", "lateness", "--reason", " "], "needs a reason; say why"),
        (["recalibrate", "lateness", "--reason", "because"], "no time says which rows of sales"),
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


TIMED = """\
dataset: parcels
owner: shop
source: {kind: files, uri: landing/parcels}
key: [id]
time: at
columns:
  id: {type: int}
  at: {type: time}
  late: {type: bool, known_after: delivery}
  days: {type: float, known_after: delivery}
"""


@pytest.fixture
def timed(project: Path) -> Environment:
    """A model of chances and one of numbers, on rows whose time is known."""
    config = project / "config"
    (config / "datasets" / "parcels.yaml").write_text(TIMED)
    text = (config / "models" / "lateness.yaml").read_text().replace("sales", "parcels")
    for model, column in (("parcel", "late"), ("days", "days")):
        told = text.replace("lateness", model).replace("column: late", f"column: {column}")
        (config / "models" / f"{model}.yaml").write_text(told)
    return open_environment(home=project / "home", config=config)


def test_what_has_no_champion_or_no_chances_is_not_calibrated(
    call: Call, document: Document, timed: Environment
) -> None:
    assert not timed.project.problems
    for model, says in (("parcel", "no champion yet"), ("days", "numbers, not chances")):
        result = call("recalibrate", model, "--reason", "because")
        assert result.exit_code == 1
        assert says in result.stderr
        assert "Traceback" not in result.output
        error = document("recalibrate", model, "--reason", "because")["error"]
        assert error["message"] == f"{model} cannot be calibrated again: {_said(result)}"
    assert not timed.ledger.events("retrain_request")


def _said(result: Result) -> str:
    return result.stderr.strip().partition("cannot be calibrated again: ")[2]


def test_a_calibration_is_asked_for_once(
    call: Call, document: Document, timed: Environment
) -> None:
    champion.swap(
        timed.ledger, "parcel", 1, expected=None, action="promote", actor="auto", reason="good"
    )
    asked = ("recalibrate", "parcel", "--reason", "says 40 %, it is 60 %", "--by", "ann")
    told = document(*asked)
    assert document(*asked) == told, "typed twice it is one request"
    (event,) = timed.ledger.events("retrain_request", "parcel")
    assert (event.key, event.actor) == (told["request"], "ann")
    assert event.payload["causes"] == ["recalibrate"]
    assert event.payload["reason"] == told["reason"] == "says 40 %, it is 60 %"
    assert "parcel: asked for; the next run of parcel.train" in call(*asked).output


def test_who_has_no_name_is_known_by_number(
    document: Document, timed: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container that runs as any user."""

    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    champion.swap(
        timed.ledger, "parcel", 1, expected=None, action="promote", actor="auto", reason="good"
    )
    monkeypatch.setattr("getpass.getuser", nameless)
    assert document("recalibrate", "parcel", "--reason", "x")["by"] == f"uid {os.getuid()}"


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
