"""Have the cases judged by two child processes, each with half of them."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.corpus.numbers import NUMBERS

ROOT = Path(__file__).parent.parent.parent


def run(variables: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """Return what the children said, one line per case and form."""
    with (
        tempfile.TemporaryDirectory() as first,  # not below pytest's, which is root's alone
        tempfile.TemporaryDirectory() as second,
    ):
        environment = {**os.environ, **(variables or {})}
        halves = [
            _child(first, NUMBERS[::2], environment),
            _child(second, NUMBERS[1::2], environment),
        ]
        said = [child.communicate() for child in halves]
    for child, (_, errors) in zip(halves, said, strict=True):
        assert child.returncode == 0, errors
    return [json.loads(line) for output, _ in said for line in output.splitlines()]


def _child(
    folder: str, numbers: list[str], environment: Mapping[str, str]
) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.corpus.child", folder, *numbers]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True)
