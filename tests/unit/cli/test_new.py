"""``trimtab new``: what it writes, what it says, and that the two files are ready to run."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import Result

from trimtab import lifecycle
from trimtab.clock import FixedClock
from trimtab.environment import open_environment

Call = Callable[..., Result]
N = 400


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    x = rng.normal(size=N)
    late = np.where(x + rng.normal(size=N) / 2 > 0, "yes", "no")
    rows = {"id": range(N), "x": x.round(3), "kind": rng.choice(["a", "b"], N), "late": late}
    path = tmp_path / "My parcels.csv"
    pl.DataFrame(rows).write_csv(path)
    return path


def test_it_writes_what_check_accepts_and_says_what_is_next(
    call: Call, project: Path, file: Path
) -> None:
    result = call("new", file, "--target", "late")
    assert result.exit_code == 0, result.output
    assert "key id" in result.stdout
    assert "trimtab run my_parcels_late" in result.stdout
    assert f"cp '{file}'" in result.stdout
    assert (project / "home/lake/reports/datasets/my_parcels/profile.html").exists()
    assert call("check").exit_code == 0


def test_the_document(document: Callable[..., dict[str, Any]], project: Path, file: Path) -> None:
    told = document("new", file, "--target", "late", "--name", "parcels")
    assert (told["dataset"], told["model"], told["key"]) == ("parcels", "parcels_late", ["id"])
    assert (told["task"], told["rows"], told["columns"]["late"]) == ("binary", N, "bool")
    assert told["files"] == [
        str(project / "config/datasets/parcels.yaml"),
        str(project / "config/models/parcels_late.yaml"),
    ]


def test_it_overwrites_only_when_told_to(call: Call, project: Path, file: Path) -> None:
    assert call("new", file, "--target", "late").exit_code == 0
    again = call("new", file, "--target", "late")
    assert again.exit_code == 1
    assert "my_parcels.yaml" in again.output
    assert "my_parcels_late.yaml" in again.output
    assert "--force" in again.output
    assert call("new", file, "--target", "late", "--force").exit_code == 0


def test_refusals_name_the_fix_and_write_nothing(call: Call, project: Path, file: Path) -> None:
    before = sorted((project / "config").rglob("*.yaml"))
    target = call("new", file, "--target", "lat")
    name = call("new", file, "--target", "late", "--name", "My Parcels")
    assert (target.exit_code, name.exit_code) == (1, 1)
    assert "--target is one of ['id', 'x', 'kind', 'late']" in target.output
    assert "for example 'my_parcels'" in name.output
    assert sorted((project / "config").rglob("*.yaml")) == before


def test_the_two_files_are_ready_to_run(call: Call, project: Path, file: Path) -> None:
    assert call("new", file, "--target", "late", "--name", "parcels").exit_code == 0
    written = project / "config/models/parcels_late.yaml"
    written.write_text(written.read_text().replace("train: {", "train: {tune: {trials: 1}, "))
    landing = project / "home/landing/parcels"
    landing.mkdir(parents=True)
    shutil.copy(file, landing)
    clock = FixedClock(datetime(2100, 1, 1, tzinfo=UTC))
    env = open_environment(home=project / "home", config=project / "config", clock=clock)
    report = lifecycle.run(env, ["parcels_late"])
    assert report.failed == {}
    assert "evaluate" in [stage for stage, _, _ in report.done], report.waiting
