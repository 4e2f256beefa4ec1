"""The trigger rings when it must, stays quiet when it must, and survives what fails."""

import asyncio
import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred

from trimtab.config.source import FilesSource
from trimtab.environment import Environment
from trimtab.errors import DependencyError
from trimtab.stages import ingest
from trimtab_airflow import assets
from trimtab_airflow.sensors.new_data import NewDataSensor
from trimtab_airflow.triggers import new_data, watch
from trimtab_airflow.triggers.new_data import NewDataTrigger
from trimtab_airflow.triggers.watch import fingerprint

PATIENCE = 30.0
YAML = """
dataset: shop
owner: me
source: {uri: landing/shop, settle: 1s}
key: [id]
columns: {id: {type: text}}
"""


class World:
    """A landing folder, a ledger, and how often it was asked."""

    def __init__(self, env: Environment) -> None:
        self.env, self.folder = env, env.landing("shop")
        self.asked = self.failures = 0
        self.folder.mkdir(parents=True)

    def drop(self, name: str, age: float = 60) -> None:
        file = self.folder / name
        file.write_text("id\n1\n")
        past = time.time() - age
        os.utime(file, (past, past))

    def judge(self, name: str) -> None:
        stat = (self.folder / name).stat()
        key = f"{name}:{stat.st_size}:{stat.st_mtime_ns}"
        self.env.ledger.append("sighting", "shop", key, {"sha256": "x", "verdict": "accepted"})

    def unjudged(self, *arguments: Any) -> Any:
        self.asked += 1
        if self.failures:
            self.failures -= 1
            raise DependencyError("the ledger does not answer")
        return self.real(*arguments)

    real = staticmethod(ingest.unjudged)


@pytest.fixture
def world(
    open_env: Callable[[dict[str, str]], Environment], monkeypatch: pytest.MonkeyPatch
) -> World:
    here = World(open_env({"datasets/shop.yaml": YAML}))
    monkeypatch.setenv("TRIMTAB_HOME", str(here.env.home))
    monkeypatch.setenv("TRIMTAB_CONFIG", str(here.env.project.folder))
    monkeypatch.setattr(ingest, "unjudged", here.unjudged)
    monkeypatch.setattr(watch, "_SHARED", [])
    monkeypatch.setattr(new_data, "_QUIET_START", 0.0)
    monkeypatch.setattr(new_data, "_AFTER_FAILURE", 0.01)
    monkeypatch.setattr(FilesSource, "look_every", timedelta(seconds=0.02))
    return here


def trigger(env: Environment) -> NewDataTrigger:
    described = fingerprint(env.project.dataset("shop").source)
    return NewDataTrigger(dataset="shop", fingerprint=described)


def rings(
    during: float,
    world: World,
    steps: dict[float, Callable[[], None]] | None = None,
    *,
    expected: int = 0,
) -> list[list[str]]:
    """Let the trigger run for a while, on a busy machine until as many rings; act at moments."""
    heard: list[list[str]] = []

    async def listen() -> None:
        async for event in trigger(world.env).run():
            heard.append(event.payload["files"])  # noqa: PERF401 heard while it goes on

    async def act() -> None:
        began = time.monotonic()
        for moment, step in sorted((steps or {}).items()):
            await asyncio.sleep(max(0, began + moment - time.monotonic()))
            step()
        await asyncio.sleep(max(0, began + during - time.monotonic()))
        while len(heard) < expected and time.monotonic() < began + PATIENCE:
            await asyncio.sleep(0.05)

    async def both() -> None:
        task = asyncio.create_task(listen())
        await act()
        assert not task.done(), task.exception()
        task.cancel()

    asyncio.run(both())
    return heard


def test_a_file_rings_once(world: World) -> None:
    assert rings(1.0, world, {0.3: lambda: world.drop("a.csv")}, expected=1) == [["a.csv"]]
    assert world.asked == 1  # a listing every poll, the ledger only when it changed


def test_each_new_file_rings(world: World) -> None:
    steps = {0.1: lambda: world.drop("a.csv"), 0.8: lambda: world.drop("b.csv")}
    assert rings(1.5, world, steps, expected=2) == [["a.csv"], ["a.csv", "b.csv"]]


def test_a_judged_file_is_silent(world: World) -> None:
    world.drop("a.csv")
    world.judge("a.csv")
    assert rings(0.5, world) == []


def test_a_file_that_stays_rings_again_but_ever_more_rarely(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(new_data, "_RING_AGAIN", 0.2)
    world.drop("a.csv")
    heard = rings(2.0, world)  # at 0, 0.2, 0.6, 1.4
    assert 3 <= len(heard) <= 4


def test_no_ring_again_once_the_file_is_judged(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(new_data, "_RING_AGAIN", 0.5)
    world.drop("a.csv")
    assert rings(1.2, world, {0.3: lambda: world.judge("a.csv")}, expected=1) == [["a.csv"]]


def test_a_ledger_that_is_away_is_asked_again(world: World) -> None:
    world.failures = 2
    world.drop("a.csv")
    assert rings(0.8, world, expected=1) == [["a.csv"]]
    assert world.asked == 3


def test_a_missing_folder_is_an_empty_one(world: World) -> None:
    world.folder.rmdir()
    assert rings(0.3, world) == []


def test_a_file_that_is_being_written_is_not_seen(world: World) -> None:
    world.drop("fresh.csv", age=-3600)
    world.drop("still.csv")
    assert rings(0.5, world, expected=1) == [["still.csv"]]


def test_a_dataset_file_that_cannot_be_used_does_not_end_the_watch(world: World) -> None:
    file = world.env.project.folder / "datasets/shop.yaml"
    world.drop("a.csv")
    file.write_text("dataset: shop\n")
    assert rings(1.0, world, {0.3: lambda: _write(file, YAML)}, expected=1) == [["a.csv"]]


def _write(file: Path, text: str) -> None:
    file.write_text(text)


def test_triggers_of_one_process_share_an_environment(world: World) -> None:
    described = fingerprint(world.env.project.dataset("shop").source)
    first = watch.environment("shop", described)
    assert watch.environment("shop", described) is first
    assert watch.environment("shop", "another description") is not first


def test_the_first_event_waits_for_the_scheduler() -> None:
    assert new_data._QUIET_START >= 2.0


def test_another_source_is_another_trigger(world: World) -> None:
    spec = world.env.project.dataset("shop")
    moved = spec.model_copy(update={"source": FilesSource(uri="landing/elsewhere")})
    paths = [
        asset.watchers[0].trigger["kwargs"]["fingerprint"]
        if isinstance(asset.watchers[0].trigger, dict)
        else asset.watchers[0].trigger.fingerprint
        for asset in (assets.landing(spec), assets.landing(spec), assets.landing(moved))
    ]
    assert paths[0] == paths[1] != paths[2]


def test_serialize_gives_what_the_constructor_takes() -> None:
    path, arguments = NewDataTrigger(dataset="d", fingerprint="f").serialize()
    assert path == "trimtab_airflow.triggers.new_data.NewDataTrigger"
    assert NewDataTrigger(**arguments).serialize() == (path, arguments)


def test_the_sensor_returns_at_once_when_files_are_there(world: World) -> None:
    world.drop("a.csv")
    assert NewDataSensor(task_id="s", dataset="shop").execute({}) == ["a.csv"]


def test_the_sensor_defers_when_there_are_none(world: World) -> None:
    sensor = NewDataSensor(task_id="s", dataset="shop", timeout=60)
    with pytest.raises(TaskDeferred) as caught:
        sensor.execute({})
    assert isinstance(caught.value.trigger, NewDataTrigger)
    assert caught.value.trigger.serialize() == trigger(world.env).serialize()
    assert caught.value.timeout == timedelta(seconds=60)
    assert getattr(sensor, caught.value.method_name)({}, {"files": ["a.csv"]}) == ["a.csv"]
