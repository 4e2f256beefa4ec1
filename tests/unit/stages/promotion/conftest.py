"""Trained versions for the gate's tests; see tests/visits.py."""

from collections.abc import Callable

import polars as pl
import pytest

from trimtab.environment import Environment
from trimtab.serving.trial import Trial
from visits import TRIAL, World, files, rows, stand_in

NewWorld = Callable[..., World]


@pytest.fixture
def new_world(
    open_env: Callable[[dict[str, str]], Environment], monkeypatch: pytest.MonkeyPatch
) -> NewWorld:
    """Open a world; keyword arguments go to ``files``, ``changes`` replaces words of the model.

    ``place`` are further files of the config folder.
    """

    def opened(
        changes: dict[str, str] | None = None,
        place: dict[str, str] | None = None,
        **options: str,
    ) -> World:
        world = World(open_env({**files(**options, **(changes or {})), **(place or {})}))
        stand_in(world, monkeypatch)
        return world

    return opened


@pytest.fixture
def world(new_world: NewWorld) -> World:
    return new_world()


@pytest.fixture
def make_rows() -> Callable[..., pl.DataFrame]:
    return rows


@pytest.fixture
def make_files() -> Callable[..., dict[str, str]]:
    return files


@pytest.fixture
def usual_trial() -> Trial:
    return TRIAL
