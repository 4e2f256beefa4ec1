"""A trial in a process of its own: whatever a model does there, this process goes on."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from trimtab.errors import DependencyError, IntegrityError, TrimtabError
from trimtab.serving.trial import Trial
from trimtab.types import Candidate

PATIENCE = 600  # seconds until a model that does not answer is given up
# Addresses and secrets that loading a model is no reason to know.
_KEPT_BACK = ("TRIMTAB_", "AIRFLOW", "_AIRFLOW", "MLFLOW_TRACKING", "AWS_", "REDIS", "POSTGRES")
# Somebody else ended the process: that says nothing about the model.
_FROM_OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_SHOWN = 500  # characters of what a process said before it died


def trial(lake: Path, candidate: Candidate, recorded: str, patience: float = PATIENCE) -> Trial:
    """Load a version in a fresh process and ask it the rows of its file ``recorded``.

    Raises:
        IntegrityError: the loader refused it.
        TrimtabError: it failed, crashed the process, or did not answer in time.
        DependencyError: the process could not be started, or was ended from outside.
    """
    where = f"{candidate.model} version {candidate.version}"
    request = {"lake": str(lake), "candidate": candidate.to_json(), "recorded": recorded}
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "trimtab.serving.trial"],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            timeout=patience,
            check=False,
            env=_environment(),
        )
    except subprocess.TimeoutExpired as error:
        raise TrimtabError(
            f"{where} did not answer within {patience:g} s in a fresh process"
        ) from error
    except OSError as error:
        raise DependencyError(f"no process could be started to try {where}: {error}") from error
    return _read(done, where)


def _read(done: "subprocess.CompletedProcess[str]", where: str) -> Trial:
    if -done.returncode in _FROM_OUTSIDE:
        name = signal.Signals(-done.returncode).name
        raise DependencyError(f"the process that tried {where} was ended by {name}; try again")
    if done.returncode:
        raise TrimtabError(f"{where} crashed a fresh process ({_death(done)})")
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:  # code of the user's may end a process as it likes
        raise TrimtabError(f"{where} ended a fresh process without an answer") from error
    if "refused" in answer:
        raise IntegrityError(answer["refused"])
    if "failed" in answer:
        raise TrimtabError(f"{where} failed in a fresh process: {answer['failed']}")
    return Trial.model_validate(answer["trial"])


def _death(done: "subprocess.CompletedProcess[str]") -> str:
    if done.returncode < 0:
        return signal.Signals(-done.returncode).name
    return f"exit {done.returncode}: {done.stderr.strip()[-_SHOWN:]}"


def _environment() -> dict[str, str]:
    """This process's path and settings, without its addresses and secrets."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_KEPT_BACK)}
    path = os.pathsep.join(str(Path(place).absolute()) for place in sys.path)
    return {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", **kept, "PYTHONPATH": path}
