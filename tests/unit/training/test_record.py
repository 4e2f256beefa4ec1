"""Locks, libraries, machine and what a training takes of it."""

import hashlib
from pathlib import Path

import numpy as np

from trimtab.training import machine, record


def test_the_lock_file_of_the_project(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    assert record.lock(config)["name"] == "installed distributions"
    (tmp_path / "requirements.txt").write_text("numpy==1.0\n")
    expected = hashlib.sha256(b"numpy==1.0\n").hexdigest()
    assert record.lock(config) == {"name": "requirements.txt", "sha256": expected}
    (tmp_path / "uv.lock").write_text("")
    assert record.lock(config)["name"] == "uv.lock"


def test_libraries_and_all_that_is_installed() -> None:
    assert set(record.libraries()) >= {"python", "trimtab", "scikit-learn", "polars", "pyarrow"}
    installed = record.installed()
    assert installed["scikit-learn"] == record.libraries()["scikit-learn"]
    assert len(installed) > len(record.LIBRARIES)


def test_hardware() -> None:
    found = machine.hardware()
    assert found["cores"] >= 1
    assert found["memory"] > 2**20
    assert set(machine.CLASS) <= set(found)


def test_the_meter_sees_memory_that_is_gone_again() -> None:
    with machine.Meter() as meter:
        block = np.ones(30_000_000)  # 240 MB
        looked = meter.usage().peak_memory
        del block
    used = meter.usage()
    assert used.peak_memory >= looked
    assert used.peak_memory - used.memory_before > 200_000_000
    assert used.seconds > 0


def test_what_an_hour_costs() -> None:
    used = machine.Usage(seconds=1800, cpu_seconds=3600, peak_memory=1, memory_before=1)
    priced = used.to_json(2.0, "EUR")
    assert (priced["cost"], priced["currency"], priced["cpu_hours"]) == (1.0, "EUR", 1.0)
    free = used.to_json(None, "EUR")
    assert (free["cost"], free["currency"]) == (None, None)
