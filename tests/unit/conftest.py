"""What several parts' tests need: publishing tables without ingest, and a small world of rides."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from trimtab.evaluation import registry
from trimtab.serving import trial
from trimtab.training import source
from trimtab.types import DatasetVersion

Publish = Callable[..., DatasetVersion]


def _beside(name: str) -> Any:
    """Load a module that stands beside this file (tests are no package)."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(autouse=True)
def user_modules() -> Iterator[None]:
    """What a test registers in a module of the user's own is gone after it."""
    yield
    for name in (*source.USER_MODULES, registry.USER_MODULE):
        sys.modules.pop(name, None)


@pytest.fixture(autouse=True)
def trials_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a stage try models in this process: one of their own takes 4 s to import skops.

    A test that asks for ``fresh_process`` gets the process.
    """
    if "fresh_process" not in request.fixturenames:
        monkeypatch.setattr("trimtab.stages.trial.trial", trial.hold)


@pytest.fixture
def fresh_process() -> None:
    """Try models as a stage does it outside of tests."""


@pytest.fixture(scope="session")
def publish() -> Publish:
    function: Publish = _beside("published").publish
    return function


@pytest.fixture(scope="session")
def rides() -> Any:
    """A small world: taxi rides joined to hourly air and a register of cars."""
    return _beside("rides")


@pytest.fixture(scope="session")
def shapes() -> Any:
    """Two more shapes: classes from text and many customers, and a number of grouped rows."""
    return _beside("shapes")
