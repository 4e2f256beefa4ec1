"""The whole point-in-time join of a feature view against a bare DuckDB ASOF join of the same data.

make bench        # or: uv run --all-extras pytest tests/benchmarks/test_features.py -m benchmark -s

Ours makes the view's rows unique, honours known times and keeps the rows' order; DuckDB's does
none of it. Every run is a process of its own that reads the same two Parquet files and holds the
joined rows at the end; MB is its peak. CPU time is told too, which is steadier on a busy machine.
TRIMTAB_BENCH_FEATURES chooses the rows of each side.
"""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

ROWS = int(os.environ.get("TRIMTAB_BENCH_FEATURES", "5000000"))
ENTITIES, RUNS = 50_000, 3
GOAL = 2.0  # times the bare join, as long as nothing has a later known time

PRELUDE = """
import json, resource, sys, time
ours, theirs = sys.argv[1:3]
def done(started, before, value, nulls):
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = used.ru_utime + used.ru_stime - before
    print(json.dumps({"seconds": time.perf_counter() - started, "cpu": cpu, "mb": used.ru_maxrss / 1024, "sum": value, "nulls": nulls}))
"""
OURS = """
import polars as pl
from trimtab.config.dataset import DatasetSpec
from trimtab.config.view import FeatureView
from trimtab.features import join, point_in_time, views
from trimtab.types import ROW
types = {"entity": TYPE, "at": "time", "told": "time", "value": "float"}
dataset = DatasetSpec.model_validate({
    "dataset": "facts", "owner": "me", "source": {"kind": "files", "uri": "x"}, "key": ["entity", "at"],
    "time": "at", "columns": {name: {"type": kind} for name, kind in types.items()}})
view = FeatureView.model_validate(
    {"view": "v", "owner": "me", "from": "facts", "entity": ["entity"], "columns": ["value"]} | KNOWN)
started, before = time.perf_counter(), sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
rows = pl.read_parquet(ours)
there = views.all_rows(view, dataset, pl.scan_parquet(theirs))
found = point_in_time.match(rows, ["entity"], "at", there, ["entity"], views.TIME,
    views.KNOWN if view.known else None, order=(join.ORDER, ROW))
result = rows.hstack(join.taken(there, found, ["value"]))
assert result["n"].is_sorted()
done(started, before, result["value"].sum(), result["value"].null_count())
"""
BARE = """
import duckdb
connection = duckdb.connect()
started, before = time.perf_counter(), sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
result = connection.sql(f"SELECT o.*, t.value FROM '{ours}' o ASOF LEFT JOIN '{theirs}' t"
    " ON o.entity = t.entity AND o.at >= t.at").to_arrow_table()
import pyarrow.compute as pc
done(started, before, pc.sum(result["value"]).as_py(), result["value"].null_count)
"""
PROGRAMS = {
    "bare DuckDB ASOF": BARE,
    "ours": OURS.replace("KNOWN)", "{})"),
    "ours, all known at once": OURS.replace("KNOWN)", '{"known": "at"})'),
    "ours, a tenth known later": OURS.replace("KNOWN)", '{"known": "told"})'),
}


def generate(folder: Path, *, text: bool) -> tuple[Path, Path]:
    """Write rows that ask and rows of facts: a year in seconds, a tenth told up to a day late."""
    rng = np.random.default_rng(7)
    start = np.datetime64("2025-01-01", "us").astype("int64")

    def side() -> pl.DataFrame:
        at = start + rng.integers(0, 365 * 86_400, ROWS) * 1_000_000
        frame = pl.DataFrame({"entity": rng.integers(0, ENTITIES, ROWS), "at": at})
        name = pl.format("entity {}", "entity") if text else pl.col("entity")
        return frame.with_columns(name.alias("entity"), pl.col("at").cast(pl.Datetime("us", "UTC")))

    late = rng.integers(0, 86_400, ROWS) * (rng.random(ROWS) < 0.1)
    facts = side().with_columns(
        told=pl.col("at") + pl.duration(seconds=pl.Series(late)),
        value=pl.Series(rng.normal(size=ROWS)),
        _order=pl.lit(0, dtype=pl.Int64),
        _row=pl.int_range(pl.len()),
    )
    files = folder / "rows.parquet", folder / "facts.parquet"
    side().with_row_index("n").write_parquet(files[0])
    facts.write_parquet(files[1])
    return files


def measured(program: str, files: tuple[Path, Path], *, text: bool) -> dict[str, Any]:
    code = PRELUDE + program.replace("TYPE", '"text"' if text else '"int"')
    runs = []
    for _ in range(RUNS):
        done = subprocess.run(
            [sys.executable, "-c", code, *map(str, files)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        runs.append(json.loads(done.stdout.splitlines()[-1]))
    middle = {key: statistics.median(run[key] for run in runs) for key in ("seconds", "cpu")}
    return runs[0] | middle | {"mb": max(run["mb"] for run in runs)}


@pytest.mark.benchmark
@pytest.mark.parametrize("text", [False, True], ids=["int entity", "text entity"])
def test_the_join_of_a_view(text: bool, tmp_path: Path) -> None:
    files = generate(tmp_path, text=text)
    found = {name: measured(program, files, text=text) for name, program in PROGRAMS.items()}
    floor = found["bare DuckDB ASOF"]
    print(
        f"\n{ROWS:,} rows x {ROWS:,} facts of {ENTITIES:,} entities ({'text' if text else 'int'})"
    )
    for name, run in found.items():
        ratio, cpu = (run[key] / floor[key] for key in ("seconds", "cpu"))
        told = f"{run['seconds']:7.2f} s {ratio:5.2f}x  cpu {run['cpu']:6.2f} s {cpu:5.2f}x"
        print(f"{name:28s}{told} {run['mb']:7.0f} MB{f'  goal {GOAL}x' if name == 'ours' else ''}")
    assert found["ours"]["nulls"] == floor["nulls"]
    assert found["ours"]["sum"] == found["ours, all known at once"]["sum"]
    assert found["ours, a tenth known later"]["nulls"] >= floor["nulls"]
