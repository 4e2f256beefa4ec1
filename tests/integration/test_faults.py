"""The fault bench over a real S3 server: killed, asleep and cut off, a sample of the steps."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from faults import test_ingestion as faults
from faults.conftest import LocalPlace, bench, ledger_url, zygote

__all__ = ["bench", "ledger_url", "zygote"]  # fixtures
BUCKET = "trimtab-faults"


class Bucket(LocalPlace):
    """Each cell has a prefix of its own, beside its landing folder."""

    def __init__(self, root: Path, variables: dict[str, str]) -> None:
        from trimtab.adapters import s3

        super().__init__(root)
        self.variables, self.client = variables, s3.client()
        self.client.create_bucket(Bucket=BUCKET)

    def environment(self, cell: Path) -> dict[str, str]:
        return {**self.variables, "TRIMTAB_STORE": f"s3://{BUCKET}/{cell.name}"}

    def copy(self, before: Path, cell: Path) -> None:
        shutil.copytree(before, cell)
        for key in self._keys(before):
            there = {"Bucket": BUCKET, "Key": f"{before.name}/{key}"}
            self.client.copy_object(Bucket=BUCKET, Key=f"{cell.name}/{key}", CopySource=there)

    def table(self, cell: Path) -> str:
        return f"s3://{BUCKET}/{cell.name}/datasets/shop"

    def quarantine(self, cell: Path) -> dict[str, str]:
        keys = [key for key in self._keys(cell) if key.startswith("quarantine/")]
        rows = [key for key in keys if key.endswith(".parquet")]
        return {key.rsplit("/", 1)[-1]: f"s3://{BUCKET}/{cell.name}/{key}" for key in rows}

    def files(self, cell: Path) -> set[str]:
        return set(self._keys(cell)) - {".trimtab/conditional-writes"}

    def _keys(self, cell: Path) -> list[str]:
        pages = self.client.get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=BUCKET, Prefix=f"{cell.name}/")
        keys = [item["Key"] for page in found for item in page.get("Contents", ())]
        return [key.removeprefix(f"{cell.name}/") for key in keys]


@pytest.fixture(scope="module")
def place(ceph: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    with pytest.MonkeyPatch.context() as patch:
        variables = {**ceph.environment, "AWS_ALLOW_HTTP": "true"}
        for name, value in variables.items():
            patch.setenv(name, value)
        yield Bucket(tmp_path_factory.mktemp("cells"), variables)


SCENARIOS = list(faults.SCENARIOS) if os.environ.get("TRIMTAB_FAULTS") else ["append", "restated"]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_killed_anywhere_and_run_again(bench: Any, scenario: str) -> None:
    faults.test_killed_anywhere_and_run_again(bench, scenario)


@pytest.mark.parametrize("scenario", SCENARIOS[1:])
def test_a_sleeper_wakes_after_its_retry(bench: Any, scenario: str) -> None:
    faults.test_a_sleeper_wakes_after_its_retry(bench, scenario)


def test_a_sleeper_that_lost_its_lock_wakes_after_its_retry(bench: Any) -> None:
    faults.test_a_sleeper_that_lost_its_lock_wakes_after_its_retry(bench, "append")


@pytest.mark.parametrize("scenario", ["append", "two files"])
def test_two_runs_at_once(bench: Any, scenario: str) -> None:
    faults.test_two_runs_at_once(bench, scenario)
