"""The four processes of Airflow and the environment they run in."""

import base64
import json
import os
import secrets
import sys
import urllib.request
from importlib.metadata import version
from pathlib import Path
from typing import Any

from trimtab.errors import TrimtabError
from trimtab.platform.ports import HOST
from trimtab.platform.settings import AIRFLOW_SETTINGS

# name of the process: (its command, its name on the health page)
COMPONENTS = {
    "api-server": (["api-server"], "metadatabase"),
    "scheduler": (["scheduler", "--skip-serve-logs"], "scheduler"),
    "dag-processor": (["dag-processor"], "dag_processor"),
    "triggerer": (["triggerer", "--skip-serve-logs"], "triggerer"),
}


def command(*arguments: str) -> list[str]:
    """Return the command line of ``airflow`` of this very Python."""
    return [sys.executable, "-m", "airflow", *arguments]


def schema_note() -> str:
    """Name of the schema this version of Airflow brings its database to."""
    return f"airflow {version('apache-airflow')}"


def settings(home: Path, project: Path, port: int, database: str) -> dict[str, str]:
    """Return the variables of all four processes. What the caller has set himself stays his.

    Raises:
        TrimtabError: the project has no ``dags`` folder.
    """
    dags, plugins = project / "dags", project / "plugins"
    if not dags.is_dir():
        raise TrimtabError(
            f"{project} has no dags folder; name the project with --project, or copy dags/ and "
            "plugins/ of the trimtab repository beside your config folder"
        )
    base = f"http://{HOST}:{port}"
    tuned = {key: os.environ.get(key, value) for key, value in AIRFLOW_SETTINGS.items()}
    return {
        **tuned,
        **_secrets(home),
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(plugins),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{base}/execution/",
        **_people(),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "airflow" / "logs"),
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(port),
        # Without it tasks talk to port 8080 whatever the port is.
        "AIRFLOW__API__BASE_URL": base,
    }


def _people() -> dict[str, str]:
    """Everybody is admin, for the page is served to this machine only; unless users are named."""
    users = os.environ.get("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS")
    return {"AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False" if users else "True"}


def health(url: str) -> dict[str, str]:
    """Return the state of every component from the health page; empty when it is not served."""
    try:
        with urllib.request.urlopen(f"{url}/api/v2/monitor/health", timeout=2) as reply:  # noqa: S310
            page: dict[str, Any] = json.load(reply)
    except (OSError, ValueError):
        return {}
    return {name: part.get("status") or "" for name, part in page.items() if part}


def _secrets(home: Path) -> dict[str, str]:
    """Read the keys of this home, made once and readable by its owner only."""
    file = home / "secrets.json"
    if not file.exists():
        made = {
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(64),
            "AIRFLOW__API__SECRET_KEY": secrets.token_urlsafe(32),
            "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        }
        aside = file.with_suffix(".tmp")
        aside.unlink(missing_ok=True)
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            json.dump(made, opened)
        aside.replace(file)
    kept: dict[str, str] = json.loads(file.read_text())
    return kept
