"""The doctor on a folder: what it finds, how it says so, and that it leaves nothing behind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trimtab.adapters import probe
from trimtab.cli import app  # noqa: F401

Document = Callable[..., dict[str, Any]]


def found(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {finding["what"]: finding for finding in document["findings"]}


def test_a_healthy_place_is_accepted(document: Document, project: Path) -> None:
    before = {p for p in (project / "home").rglob("*") if "lake" in p.parts}
    told = document("doctor")
    assert told["ok"], told
    findings = found(told)
    assert findings["store commits"]["status"] == "ok"
    assert findings["store races"]["text"] == "of 8 writers at once 1 created the object"
    assert findings["source sales"]["status"] == "ok"
    assert findings["ledger"]["status"] == "warn"  # SQLite
    after = {p for p in (project / "home/lake").rglob("*") if p.is_file()}
    assert after <= before


def test_a_store_that_overwrites_is_refused_with_its_cure(
    call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "create", lambda store, key: True)
    result = call("doctor")
    assert result.exit_code == 1
    assert "refused  store commits: overwrites" in result.stdout
    assert "If-None-Match" in result.stdout


def test_a_ledger_that_is_away_is_one_finding_among_others(
    call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIMTAB_LEDGER", "postgresql://me:PLANTED@127.0.0.1:1/x")
    result = call("doctor")
    assert result.exit_code == 1
    assert "refused  ledger: the ledger does not answer" in result.stdout
    assert "ok       store commits" in result.stdout
    assert "PLANTED" not in result.output


def test_a_source_that_cannot_be_used_names_its_file(
    call: Callable[..., Any], project: Path
) -> None:
    file = project / "config/datasets/sales.yaml"
    file.write_text(file.read_text().replace("landing/sales", "gopher://hole"))
    result = call("doctor")
    assert result.exit_code == 1
    assert "refused  source sales" in result.stdout
    assert "datasets/sales.yaml" in result.stdout


def test_the_store_that_is_probed_is_the_one_that_is_used(
    document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIMTAB_STORE", "s3://nowhere/lake")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    told = found(document("doctor"))
    assert told["store credentials"]["status"] == "refused"
    assert told["ledger"]["status"] == "warn"  # the rest is looked at all the same
