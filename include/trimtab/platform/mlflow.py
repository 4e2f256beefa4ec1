"""The MLflow page: it shows what the tasks wrote straight to the database."""

import sys
from importlib.metadata import version
from pathlib import Path

from trimtab.platform.ports import HOST


def schema_note() -> str:
    """Name of the schema this version of MLflow brings its database to."""
    return f"mlflow {version('mlflow')}"


def upgrade_command(database: str) -> list[str]:
    """Command that creates or upgrades the tables."""
    return [sys.executable, "-m", "mlflow", "db", "upgrade", database]


def server_command(home: Path, database: str, port: int) -> list[str]:
    """Command of the server: one worker, local names only."""
    names = ",".join(f"{host}:{port}" for host in (HOST, "localhost"))
    return [
        *(sys.executable, "-m", "mlflow", "server", "--backend-store-uri", database),
        *("--default-artifact-root", (home / "mlflow").as_uri(), "--no-serve-artifacts"),
        *("--host", HOST, "--port", str(port), "--workers", "1", "--allowed-hosts", names),
    ]


# Its job queue takes 800 MB and half a minute, for features that are not used here.
SETTINGS = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
