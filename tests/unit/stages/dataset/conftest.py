"""A small shop: files of `id,at,n` that are written, judged and published."""

import hashlib
import itertools
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from trimtab.adapters import delta
from trimtab.clock import FixedClock
from trimtab.environment import Environment
from trimtab.stages.ingest import discover, ingest
from trimtab.stages.publish import publish
from trimtab.types import DatasetVersion, Validation

YAML = """
dataset: shop
owner: me
source: {{uri: landing/shop}}
write: {write}
evolve: {evolve}
key: [id]
time: at
partition: {partition}
max_bad_rows: 0.2
columns:
  id: {{type: text}}
  at: {{type: time}}
  n: {{type: {n}, nullable: true}}
{more}
"""
COLUMNS = ("id", "at", "n")


class Shop:
    """An environment and what people do with its files."""

    def __init__(self, env: Environment, home: Path, clock: FixedClock) -> None:
        self.env, self.home, self.clock = env, home, clock
        self.ticks = itertools.count()

    def land(self, name: str, *lines: str, header: str = "id,at,n") -> str:
        """Drop a complete file, each a second later than the one before; return its hash."""
        content = "\n".join([header, *lines]) + "\n"
        file = self.home / "landing/shop" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        moment = self.clock.now() - timedelta(hours=1) + timedelta(seconds=next(self.ticks))
        os.utime(file, (moment.timestamp(), moment.timestamp()))
        return hashlib.sha256(content.encode()).hexdigest()

    def judge(self) -> None:
        """Ingest what has landed; every file has passed its checks."""
        for file in discover(self.env, "shop"):
            verdict = ingest(self.env, file)
            assert verdict.verdict == "accepted", verdict
            passed = Validation(
                dataset="shop", sha256=verdict.sha256, passed=True, staged=verdict.staged
            )
            self.env.ledger.append("validation", "shop", verdict.sha256, passed.to_json())

    def give(self, name: str, *lines: str, header: str = "id,at,n") -> DatasetVersion:
        """Land, judge and publish one file."""
        sha = self.land(name, *lines, header=header)
        self.judge()
        (version,) = publish(self.env, "shop", [sha])
        return version

    def rows(
        self, version: int | None = None, columns: tuple[str, ...] = ("id", "n")
    ) -> list[tuple[object, ...]]:
        table = delta.scan(self.env.table("shop"), version)
        return sorted(table.select(columns).collect().rows(), key=str)

    def aside(self, sha: str) -> list[tuple[object, ...]]:
        path = self.env.lake / f"quarantine/shop/rows/{sha}.publish.parquet"
        return pl.read_parquet(path).select("id", "_reason").rows()


OpenShop = Callable[..., Shop]


@pytest.fixture
def open_shop(
    open_env: Callable[[dict[str, str]], Environment], tmp_path: Path, clock: FixedClock
) -> OpenShop:
    def opened(
        write: str = "append",
        *,
        evolve: str = "strict",
        partition: str = "month",
        n: str = "int",
        more: str = "",
    ) -> Shop:
        text = YAML.format(write=write, evolve=evolve, partition=partition, n=n, more=more)
        return Shop(open_env({"datasets/shop.yaml": text}), tmp_path / "home", clock)

    return opened


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    return open_shop()


def row(key: str, n: object = 1, *, at: str = "2013-01-05") -> str:
    return f"{key},{at}T00:00:00Z,{n}"
