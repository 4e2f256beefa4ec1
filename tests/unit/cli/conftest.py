"""The command line in this process, on a project of its own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from trimtab.cli import app

DATASET = """\
dataset: sales
owner: shop
source: {kind: files, uri: landing/sales}
key: [id]
columns:
  id: {type: int}
  amount: {type: float, min: 0}
  late: {type: bool, known_after: delivery}
"""
MODEL = """\
model: lateness
purpose: Tell the shop which parcel will be late.
owner: shop
data: {from: sales}
target: {column: late}
"""
Call = Callable[..., Result]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    config = tmp_path / "config"
    for name, text in {"datasets/sales": DATASET, "models/lateness": MODEL}.items():
        file = config / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("TRIMTAB_HOME", str(home))
    monkeypatch.setenv("TRIMTAB_CONFIG", str(config))
    monkeypatch.setenv("TRIMTAB_LEDGER", f"sqlite:///{home / 'ledger.db'}")
    monkeypatch.setenv("TRIMTAB_TRACKING", f"sqlite:///{home / 'mlflow.db'}")
    return tmp_path


@pytest.fixture
def call(project: Path) -> Call:
    runner = CliRunner()
    return lambda *arguments: runner.invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def document(call: Call) -> Callable[..., dict[str, Any]]:
    def parsed(*arguments: Any) -> dict[str, Any]:
        result = call(*arguments, "--json")
        values: dict[str, Any] = json.loads(result.stdout)  # one document and nothing else
        return values

    return parsed
