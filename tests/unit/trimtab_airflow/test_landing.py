"""The trigger rings when it must, stays quiet when it must, and survives what fails."""

import asyncio
import os
import sys
import time
import types
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred

from trimtab.types import LandedFile
from trimtab_airflow.sensors.new_files import NewFilesSensor
from trimtab_airflow.triggers import landing
from trimtab_airflow.triggers.landing import LandingTrigger, settled


class World:
    """Landing files, what the ledger has judged, and how often it was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.judged: set[str] = set()
        self.asked = 0
        self.failures = 0

    def discover(self, env: Any, dataset: str) -> list[LandedFile]:
        self.asked += 1
        if self.failures:
            self.failures -= 1
            raise RuntimeError("the ledger does not answer")
        names = {name for name, _, _ in settled(self.folder, "*.csv", 0.0)} - self.judged
        return [
            LandedFile(dataset=dataset, name=name, uri=name, size=1, mtime_ns=1)
            for name in sorted(names)
        ]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    here = World(tmp_path / "landing")
    here.folder.mkdir()
    module = types.ModuleType("trimtab.stages.ingest")
    module.discover = here.discover  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr("trimtab.environment.open_environment", object)
    monkeypatch.setenv("TRIMTAB_HOME", str(tmp_path))
    monkeypatch.setattr(landing, "_QUIET_START", 0.0)
    monkeypatch.setattr(landing, "_AFTER_FAILURE", 0.01)
    return here


def drop(folder: Path, name: str, text: str = "a\n1\n") -> None:
    file = folder / name
    file.write_text(text)
    past = time.time() - 60
    os.utime(file, (past, past))


def rings(during: float, world: World, steps: dict[float, Any] | None = None) -> list[list[str]]:
    """Let the trigger run for a while; do things at given moments."""
    trigger = LandingTrigger(dataset="d", uri="landing", settle=1.0, poll=0.02)
    heard: list[list[str]] = []

    async def listen() -> None:
        async for event in trigger.run():
            heard.append(event.payload["files"])  # noqa: PERF401 heard while it goes on

    async def act() -> None:
        began = time.monotonic()
        for moment, step in sorted((steps or {}).items()):
            await asyncio.sleep(max(0, began + moment - time.monotonic()))
            step()
        await asyncio.sleep(max(0, began + during - time.monotonic()))

    async def both() -> None:
        task = asyncio.create_task(listen())
        await act()
        assert not task.done(), task.exception()
        task.cancel()

    asyncio.run(both())
    return heard


def test_a_file_rings_once(world: World) -> None:
    assert rings(0.4, world, {0.1: lambda: drop(world.folder, "a.csv")}) == [["a.csv"]]
    assert world.asked == 1  # a listing every poll, the ledger only when it changed


def test_each_new_file_rings(world: World) -> None:
    steps = {0.1: lambda: drop(world.folder, "a.csv"), 0.3: lambda: drop(world.folder, "b.csv")}
    assert rings(0.6, world, steps) == [["a.csv"], ["a.csv", "b.csv"]]


def test_a_judged_file_is_silent(world: World) -> None:
    world.judged.add("a.csv")
    drop(world.folder, "a.csv")
    assert rings(0.3, world) == []


def test_a_file_that_stays_rings_again_but_ever_more_rarely(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landing, "_RING_AGAIN", 0.1)
    drop(world.folder, "a.csv")
    heard = rings(1.0, world)  # at 0, 0.1, 0.3, 0.7
    assert 3 <= len(heard) <= 4


def test_no_ring_again_once_the_file_is_judged(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landing, "_RING_AGAIN", 0.2)
    drop(world.folder, "a.csv")
    assert rings(0.8, world, {0.1: lambda: world.judged.add("a.csv")}) == [["a.csv"]]


def test_a_ledger_that_is_away_is_asked_again(world: World) -> None:
    world.failures = 2
    drop(world.folder, "a.csv")
    assert rings(0.5, world) == [["a.csv"]]
    assert world.asked == 3


def test_a_missing_folder_is_an_empty_one(world: World) -> None:
    world.folder.rmdir()
    assert rings(0.2, world) == []


def test_the_first_event_waits_for_the_scheduler() -> None:
    assert landing._QUIET_START >= 2.0


def test_a_file_that_is_being_written_is_not_seen(tmp_path: Path) -> None:
    (tmp_path / "fresh.csv").write_text("a")
    drop(tmp_path, "still.csv")
    drop(tmp_path, "other.txt")
    assert [name for name, _, _ in settled(tmp_path, "*.csv", 2.0)] == ["still.csv"]


def test_serialize_gives_what_the_constructor_takes() -> None:
    path, arguments = LandingTrigger(dataset="d", uri="landing/d").serialize()
    assert path == "trimtab_airflow.triggers.landing.LandingTrigger"
    assert LandingTrigger(**arguments).serialize() == (path, arguments)


def test_the_sensor_returns_at_once_when_files_are_there(world: World) -> None:
    drop(world.folder, "a.csv")
    assert NewFilesSensor(task_id="s", dataset="d").execute({}) == ["a.csv"]


def test_the_sensor_defers_when_there_are_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta
    from unittest.mock import MagicMock

    env = MagicMock()
    env.project.dataset.return_value.source.configure_mock(
        uri="landing", pattern="*.csv", settle=timedelta(seconds=2)
    )
    monkeypatch.setattr("trimtab.environment.open_environment", lambda: env)
    sensor = NewFilesSensor(task_id="s", dataset="d", timeout=60)
    with pytest.raises(TaskDeferred) as caught:
        sensor.execute({})
    assert isinstance(caught.value.trigger, LandingTrigger)
    assert caught.value.timeout == timedelta(seconds=60)
    assert getattr(sensor, caught.value.method_name)({}, {"files": ["a.csv"]}) == ["a.csv"]
