"""The toy search, which is a program too."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

TOY = Path(__file__).with_name("toy.py")


@pytest.fixture(scope="session")
def toy() -> Any:
    """Return the module that stands beside this file (tests are no package)."""
    if "toy" not in sys.modules:
        spec = importlib.util.spec_from_file_location("toy", TOY)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules["toy"] = module
        spec.loader.exec_module(module)
    return sys.modules["toy"]
