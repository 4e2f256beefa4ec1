"""Shared fixtures: a small environment on SQLite, with its own config folder and clock."""

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "true")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # see platform/settings.py

ROOT = Path(__file__).parent.parent

from trimtab.clock import FixedClock  # noqa: E402
from trimtab.environment import Environment, open_environment  # noqa: E402

OpenEnv = Callable[[dict[str, str]], Environment]


@pytest.fixture(scope="session")
def mlflow_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build an empty MLflow database once: its migrations take seconds, a copy milliseconds."""
    from mlflow import MlflowClient

    file = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    MlflowClient(tracking_uri=f"sqlite:///{file}").search_experiments(max_results=1)
    return file


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def open_env(
    tmp_path: Path,
    mlflow_database: Path,
    clock: FixedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> OpenEnv:
    """Open an environment on ``{relative file name: YAML text}``, ledger and MLflow on SQLite."""

    def opened(files: dict[str, str]) -> Environment:
        config, home = tmp_path / "config", tmp_path / "home"
        home.mkdir(exist_ok=True)
        for name, text in files.items():
            file = config / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        database = home / "mlflow.db"
        if not database.exists():
            shutil.copy(mlflow_database, database)
        monkeypatch.setenv("TRIMTAB_LEDGER", f"sqlite:///{home / 'ledger.db'}")
        monkeypatch.setenv("TRIMTAB_TRACKING", f"sqlite:///{database}")
        return open_environment(home=home, config=config, clock=clock)

    return opened
