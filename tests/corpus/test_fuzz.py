"""Damaged files get a verdict, whatever they are: no exception, no lost row, bounded means.

``TRIMTAB_FUZZ_FILES=10000`` makes it long, ``TRIMTAB_FUZZ_SEED`` another set of files.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.corpus import mutate

ROOT = Path(__file__).parent.parent.parent
FILES = int(os.environ.get("TRIMTAB_FUZZ_FILES", "300"))
SEED = os.environ.get("TRIMTAB_FUZZ_SEED", "one")
BATCH = 500


@pytest.mark.timeout(60 + FILES)
def test_no_damaged_file_gets_past_the_judge(tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []
    for first in range(0, FILES, BATCH):
        told += _batch(tmp_path, first, min(BATCH, FILES - first))
    verdicts = Counter(line.get("reason", "exception") for line in told)
    print(f"{len(told)} files, seed {SEED!r}: {dict(verdicts.most_common())}")
    bad = [line for line in told if line["problems"]]
    assert not bad, (
        f"{len(bad)} of {len(told)} files, seed {SEED!r}: {json.dumps(bad[:3], indent=1)}"
    )
    assert len(told) == FILES


def test_the_files_are_really_damaged_and_of_every_kind() -> None:
    files = [mutate.mutated(f"{SEED} {number}") for number in range(200)]
    assert {form for form, _ in files} == set(mutate.FORMS)
    assert len({data for _, data in files}) > 190
    assert mutate.mutated("same") == mutate.mutated("same")


def _batch(folder: Path, first: int, count: int) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "tests.corpus.fuzz", str(folder / str(first)), SEED]
    done = subprocess.run(
        [*command, str(first), str(count)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, (
        f"ended with {done.returncode} at {lines[-1:]}: {done.stderr[-2000:]}"
    )
    return [line for line in lines if "file" in line]
