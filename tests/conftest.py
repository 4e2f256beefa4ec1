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
pytest_plugins = ["integration.servers"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--real",
        action="store_true",
        help="open_env puts tables on a real S3 server and the ledger on PostgreSQL",
    )


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
    request: pytest.FixtureRequest,
    tmp_path: Path,
    mlflow_database: Path,
    clock: FixedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> OpenEnv:
    """Open an environment on ``{relative file name: YAML text}``, ledger and MLflow on SQLite."""
    if request.config.getoption("--real"):
        real: OpenEnv = request.getfixturevalue("s3_env")
        return real

    def opened(files: dict[str, str]) -> Environment:
        home = tmp_path / "home"
        monkeypatch.setenv("TRIMTAB_LEDGER", f"sqlite:///{home / 'ledger.db'}")
        return opened_in(tmp_path, files, mlflow_database, clock, monkeypatch)

    return opened


@pytest.fixture
def s3_env(
    tmp_path: Path,
    mlflow_database: Path,
    clock: FixedClock,
    bucket: str,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
) -> OpenEnv:
    """Open an environment as `open_env` does, tables on a real S3 server, ledger on PostgreSQL."""
    monkeypatch.setenv("TRIMTAB_LEDGER", database)
    place = {"environments/local.yaml": f"environment: local\nstore: s3://{bucket}/lake\n"}

    def opened(files: dict[str, str]) -> Environment:
        return opened_in(tmp_path, {**place, **files}, mlflow_database, clock, monkeypatch)

    return opened


def opened_in(
    folder: Path,
    files: dict[str, str],
    mlflow: Path,
    clock: FixedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> Environment:
    config, home = folder / "config", folder / "home"
    home.mkdir(exist_ok=True)
    for name, text in files.items():
        file = config / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    if not (home / "mlflow.db").exists():
        shutil.copy(mlflow, home / "mlflow.db")
    monkeypatch.setenv("TRIMTAB_TRACKING", f"sqlite:///{home / 'mlflow.db'}")
    for name in ("STUDIES", "ONLINE"):
        monkeypatch.setenv(f"TRIMTAB_{name}", f"sqlite:///{home / name.lower()}.db")
    return open_environment(home=home, config=config, clock=clock)
