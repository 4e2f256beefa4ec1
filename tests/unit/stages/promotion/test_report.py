"""The gate report's page follows what is decided after the verdict."""

import json
from typing import Any

import pytest

from trimtab.stages import report as stage
from trimtab.stages.approve import approve
from trimtab.stages.promote import promote
from trimtab.types import GateVerdict


def page(world: Any, version: int) -> str:
    return str((world.env.reports / f"models/buys/v{version}/gate.html").read_text())


def test_the_page_tells_answer_and_promotion(new_world: Any) -> None:
    world = new_world(approving="{mode: manual, users: [ann]}")
    world.judged(1)
    assert "Waits for a person (ann)" in page(world, 1)
    assert "Not yet" in page(world, 1)
    approve(world.env, "buys", 1, approved=True, actor="ann", reason="looks <good>")
    assert "Yes, by ann: looks &lt;good&gt;" in page(world, 1)
    promote(world.env, "buys", 1)
    assert "Became champion (generation 1)" in page(world, 1)
    assert 'href="card.html"' in page(world, 1)


def test_a_refusal_is_told(new_world: Any) -> None:
    world = new_world(approving="{mode: manual, users: [ann]}")
    world.judged(1)
    approve(world.env, "buys", 1, approved=False, actor="ann", reason="too early")
    assert "No, by ann: too early" in page(world, 1)


def test_writing_it_again_changes_nothing(world: Any) -> None:
    world.champion(1)
    before = page(world, 1)
    stage.tell_report(world.env, "buys", 1)
    assert page(world, 1) == before
    beside = world.env.reports / "models/buys/v1/gate.json"
    recorded = world.env.ledger.find("gate", "buys", "1:0").payload
    assert json.loads(beside.read_text()) == GateVerdict.model_validate(recorded).to_json()


def test_a_page_that_cannot_be_written_does_not_undo_an_answer(
    new_world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = new_world(approving="{mode: manual, users: [ann]}")
    world.judged(1)
    folder = world.env.reports / "models/buys/v1"
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    folder.write_text("a file where the folder was")
    assert approve(world.env, "buys", 1, approved=True, actor="ann").approved


def test_the_data_version_and_the_run_are_linked(
    new_world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = new_world()
    monkeypatch.setenv("TRIMTAB_MLFLOW_URL", "http://tracking:5000/")
    assert world.env.run_page("0e30") == "http://tracking:5000/#/runs/0e30"
    monkeypatch.setenv("TRIMTAB_MLFLOW_URL", "javascript:alert(1)")
    assert world.env.run_page("0e30") is None
    monkeypatch.delenv("TRIMTAB_MLFLOW_URL")
    assert world.env.run_page("0e30") is None  # a database is no page
    ledger = world.env.ledger
    made = {
        "dataset": "visits",
        "version": 1,
        "sha256": "5c0f",
        "name": "a <b>.csv",
        "rows": 10,
        "total_rows": 12_000,
    }
    ledger.append("dataset_version", "visits", "5c0f", made)
    ledger.append("validation", "visits", "5c0f", {"docs": "datasets/visits/5c 0f/index.html"})
    world.judged(1)
    assert 'href="../../../datasets/visits/5c%200f/index.html"' in page(world, 1)
    assert "visits@1: 12,000 rows, made by a &lt;b&gt;.csv" in page(world, 1)
