"""Ingest of CSV against the two fastest ways to turn the same CSV into Parquet unjudged.

Each runs in a process of its own, so that peak memory is its own, too. ``SIZES`` chooses the rows,
as in ``SIZES=1000000 make bench``.
"""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from trimtab.clock import FixedClock, SystemClock
from trimtab.environment import open_environment
from trimtab.stages.ingest import discover, ingest
from trimtab.stages.publish import publish
from trimtab.types import Validation

ROOT = Path(__file__).parents[2]
SIZES = [int(size) for size in os.environ.get("SIZES", "1000000,10000000").split(",")]
STEP = 500_000
YAML = """
dataset: sales
owner: me
source: {uri: landing, settle: 0s}
key: [id]
time: at
partition: month
columns:
  id: {type: text, pattern: "[0-9]{10}"}
  at: {type: time}
  x0: {type: float, nullable: true, min: -2000, max: 2000}
  x1: {type: float, nullable: true, min: -2000}
  x2: {type: float, nullable: true, max: 2000}
  x3: {type: float, nullable: true}
  x4: {type: float, nullable: true}
  x5: {type: float, min: -2000, max: 2000}
  x6: {type: float}
  x7: {type: float}
  x8: {type: float}
  x9: {type: float}
  n0: {type: int, min: 0, max: 1000}
  n1: {type: int, min: 0, max: 10000}
  n2: {type: int}
  n3: {type: int}
  channel: {type: category, values: [web, shop, phone, mail, app]}
  country: {type: category}
  sku: {type: text, pattern: "sku-[0-9]+"}
  note: {type: text, nullable: true}
"""


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("rows", SIZES)
def test_ingest_and_plain_conversion(rows: int, tmp_path: Path) -> None:
    landing = tmp_path / "home" / "landing"
    (tmp_path / "config/datasets").mkdir(parents=True)
    (tmp_path / "config/datasets/sales.yaml").write_text(YAML)
    landing.mkdir(parents=True)
    write_csv(landing / "sales.csv", rows)
    polars = run("polars", tmp_path)
    duckdb = run("duckdb", tmp_path)
    ours = run("trimtab", tmp_path)
    floor = min(polars["seconds"], duckdb["seconds"])
    print(f"\n{rows:,} rows x 20 columns, {ours['size'] / 1e6:.0f} MB of CSV, to Parquet:")
    for name, told in (("polars", polars), ("duckdb", duckdb), ("trimtab", ours)):
        ratio = told["seconds"] / floor
        print(f"  {name:8} {told['seconds']:6.1f} s  {ratio:4.1f} x  {told['peak'] / 1e6:5.0f} MB")
    print(f"  of which publishing {ours['publish']:.1f} s")
    assert ours["accepted"] == rows


def write_csv(file: Path, rows: int) -> None:
    """Ten floats (five with nulls), four ints, a time, an id and four texts."""
    random = np.random.default_rng(0)
    with file.open("wb") as stream:
        for first in range(0, rows, STEP):
            table = _table(random, first, min(STEP, rows - first))
            table.write_csv(stream, include_header=first == 0)


def _table(random: np.random.Generator, first: int, count: int) -> pl.DataFrame:
    numbers = pl.Series(np.arange(first, first + count))
    start = pl.datetime(2013, 1, 1)
    moment = (start + pl.duration(seconds=pl.col("n"))).dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    floats = {f"x{k}": np.round(random.normal(size=count) * 100, 4) for k in range(10)}
    ints = {f"n{k}": random.integers(0, 1000 * 10**k, count) for k in range(4)}
    texts = {
        "channel": np.array(["web", "shop", "phone", "mail", "app"])[random.integers(0, 5, count)],
        "country": np.array([f"C{k:02d}" for k in range(40)])[random.integers(0, 40, count)],
        "sku": np.char.add("sku-", random.integers(0, 100_000, count).astype(str)),
        "note": np.array(["ok", "late", "lost", "returned"])[random.integers(0, 4, count)],
    }
    table = pl.DataFrame({"n": numbers, **floats, **ints, **texts})
    missing = pl.Series(random.random(count) < 0.002)
    holes = [pl.when(~missing).then(pl.col(f"x{k}")).alias(f"x{k}") for k in range(5)]
    identity = pl.col("n").cast(pl.String).str.zfill(10).alias("id")
    return table.with_columns(identity, moment.alias("at"), *holes).select(
        "id", "at", *floats, *ints, *texts
    )


def run(what: str, folder: Path) -> dict[str, float]:
    """Run one way in a fresh process; seconds and peak bytes without its imports' time."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "include"),
        "TRIMTAB_LEDGER": f"sqlite:///{folder / 'ledger.db'}",
        "TRIMTAB_TRACKING": f"sqlite:///{folder / 'mlflow.db'}",
    }
    command = [sys.executable, __file__, what, str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


def by_polars(folder: Path) -> dict[str, float]:
    """Infer types from the first rows, write zstd."""
    file = folder / "home/landing/sales.csv"
    pl.scan_csv(file).sink_parquet(folder / "polars.parquet")
    return {}


def by_duckdb(folder: Path) -> dict[str, float]:
    """Infer types from a sample, write snappy."""
    import duckdb

    source, target = folder / "home/landing/sales.csv", folder / "duckdb.parquet"
    duckdb.sql(f"copy (select * from read_csv('{source}')) to '{target}'")
    return {}


def by_trimtab(folder: Path) -> dict[str, float]:
    """Judge, cast, write, keep the source, commit to the Delta table."""
    later = SystemClock().now().replace(year=SystemClock().now().year + 1)
    env = open_environment(home=folder / "home", config=folder / "config", clock=FixedClock(later))
    (file,) = discover(env, "sales")
    verdict = ingest(env, file)
    # what validation would say; its speed is measured beside this
    passed = Validation(dataset="sales", sha256=verdict.sha256, passed=True, staged=verdict.staged)
    env.ledger.append("validation", "sales", verdict.sha256, passed.to_json())
    began = time.perf_counter()
    publish(env, "sales", [verdict.sha256])
    return {
        "publish": time.perf_counter() - began,
        "accepted": verdict.rows_accepted,
        "size": file.size,
    }


WAYS = {"polars": by_polars, "duckdb": by_duckdb, "trimtab": by_trimtab}


if __name__ == "__main__":
    import duckdb  # noqa: F401  imported before the clock starts
    import pandas  # noqa: F401  pyarrow imports it for the bounds of times

    start = time.perf_counter()
    more = WAYS[sys.argv[1]](Path(sys.argv[2]))
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "peak": peak, **more}))
