"""The drift stage against a bare histogram of the same file, and against Evidently's preset.

make bench        # or: uv run --all-extras pytest tests/benchmarks/test_monitoring_speed.py -m benchmark -s

20 columns; the reference's profile, blocks and wholeness are files, as they are for a model version.
Every run is a process of its own; ``pass`` begins where the libraries are imported and those files
read. The floor is the faster of two histograms by hand with the reference's edges: Arrow batches
with NumPy, and Polars. TRIMTAB_BENCH_ROWS chooses the sizes (1000000,10000000).
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.benchmarks.test_validation import FLOATS, INTS, generate

SIZES = [int(n) for n in os.environ.get("TRIMTAB_BENCH_ROWS", "1000000,10000000").split(",")]
EVIDENTLY_AT = 1_000_000  # of more rows its preset takes many minutes and gigabytes
NUMERIC = [*FLOATS, *INTS, "id", "label"]
KINDS = {
    **dict.fromkeys(NUMERIC, "numeric"),
    "channel": "categorical", "country": "categorical", "sku": "categorical", "ts": "hour",
}  # fmt: skip
FLOOR_GOAL, EVIDENTLY_GOAL = 2.0, 50.0

PRELUDE = """
import json, sys, time
from pathlib import Path
file, place = sys.argv[1], Path(sys.argv[2])
def start():
    global wall, cpu
    wall, cpu = time.perf_counter(), time.process_time()
def done(found):
    now, spent = time.perf_counter(), time.process_time()
    status = Path("/proc/self/status").read_text()  # getrusage begins with the parent's peak
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
    print(json.dumps({"wall": now - wall, "cpu": spent - cpu, "mb": peak, "found": found}))
"""
ARROW = """
import numpy as np, pyarrow as pa, pyarrow.compute as pc, pyarrow.parquet as pq
reference = json.loads((place / "profile.json").read_text())
start()
counts = {name: np.zeros(len(r["counts"]), dtype=np.int64) for name, r in reference.items()}
for batch in pq.ParquetFile(file).iter_batches(columns=list(reference)):
    for name, r in reference.items():
        values = batch.column(name).drop_null()
        if r["kind"] == "categorical":
            found = pc.index_in(values, value_set=pa.array(r["categories"]))
            at = pc.fill_null(found, len(r["categories"]))
        else:
            values = pc.hour(values) if r["kind"] == "hour" else values
            at = np.searchsorted(r["edges"], values.to_numpy(zero_copy_only=False))
        counts[name] += np.bincount(at, minlength=len(counts[name]))
done({name: found.tolist() for name, found in counts.items()})
"""
POLARS = """
import polars as pl
reference = json.loads((place / "profile.json").read_text())
start()
wanted = [pl.len().alias("rows")]
for name, r in reference.items():
    value = pl.col(name).dt.hour() if r["kind"] == "hour" else pl.col(name)
    wanted.append(value.null_count().alias(f"{name} null"))
    if r["kind"] == "categorical":
        parts = [value == category for category in r["categories"]]
    else:
        parts = [value <= edge for edge in r["edges"]]
    wanted += [part.sum().alias(f"{name} {i}") for i, part in enumerate(parts)]
seen = pl.scan_parquet(file).select(wanted).collect(engine="streaming").row(0, named=True)
counts = {}
for name, r in reference.items():
    found = [seen[f"{name} {i}"] for i in range(len(r["counts"]) - 1)]
    left = seen["rows"] - seen[f"{name} null"]
    if r["kind"] == "categorical":
        counts[name] = [*found, left - sum(found)]
    else:
        counts[name] = [b - a for a, b in zip([0, *found], [*found, left])]
done(counts)
"""
OURS = """
import polars as pl, scipy.stats
from trimtab.config.monitor import Monitor
from trimtab.monitoring import budget, detect, null, profile, quality, runs, wholeness
from trimtab.monitoring.profile import ColumnProfile
stored = json.loads((place / "profile.json").read_text())
reference = {name: ColumnProfile.model_validate(each) for name, each in stored.items()}
blocks = runs.Blocks.model_validate_json((place / "blocks.json").read_text())
usual = wholeness.Wholeness.model_validate_json((place / "quality.json").read_text())
settings = Monitor()
start()
rows = pl.scan_parquet(file)
seen = profile.measure(rows, reference)
count = seen["ts"].rows  # a row a second
nulls = {name: null.null(blocks.of(name), count, count * 1.0) for name in reference}
found = [c.finding for c in detect.compare(reference, seen, settings, nulls=nulls)]
if QUALITY:
    found += quality.columns(usual, wholeness.measure(rows, usual), settings)
judged = budget.judged(found, settings, 0.01)
done({name: each.counts for name, each in seen.items()} if not QUALITY else len(judged))
"""
EVIDENTLY = """
import os
os.environ["DO_NOT_TRACK"] = "true"
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset
numeric, other = NUMERIC, ["channel", "country"]
frames = [pd.read_parquet(place / "reference.parquet"), pd.read_parquet(file)]
definition = DataDefinition(numerical_columns=numeric, categorical_columns=other)
start()
before, now = (Dataset.from_pandas(f[numeric + other], data_definition=definition) for f in frames)
found = Report([DataDriftPreset()]).run(now, before).dict()
done(len(found["metrics"]))
"""


def artefacts(place: Path) -> None:
    """Keep of the reference what a model version keeps."""
    from trimtab.monitoring import profile, runs, wholeness

    rows = pl.read_parquet(place / "reference.parquet")
    kinds: dict[str, Any] = dict(KINDS)
    built = profile.build(rows, kinds)
    stored = {name: each.model_dump(mode="json") for name, each in built.items()}
    (place / "profile.json").write_text(json.dumps(stored))
    (place / "blocks.json").write_text(runs.cut(rows, built, "ts").model_dump_json())
    usual = wholeness.build(rows, kinds, time="ts", identity=[*kinds])
    (place / "quality.json").write_text(usual.model_dump_json())


def run(code: str, file: Path, place: Path, times: int = 3) -> dict[str, Any]:
    """Run one contender in processes of its own (the first warms the disk's cache); best pass."""
    told = [
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", PRELUDE + code, str(file), str(place)],
            capture_output=True, text=True, check=True,
        )
        for _ in range(times)
    ]  # fmt: skip
    runs = [json.loads(done.stdout.strip().splitlines()[-1]) for done in told]
    return min(runs, key=lambda found: float(found["cpu"]))


def line(name: str, found: dict[str, Any], floor: dict[str, Any]) -> str:
    times = found["cpu"] / floor["cpu"]
    seconds = f"{found['wall']:8.2f} s {found['cpu']:8.2f} cpu-s {found['mb']:7.0f} MB"
    return f"{name:44}{seconds} {times:8.2f} x the floor"


@pytest.mark.benchmark
@pytest.mark.timeout(7200)
def test_the_drift_stage_is_about_as_fast_as_a_histogram(tmp_path: Path) -> None:
    print()
    for size in SIZES:
        file = tmp_path / f"{size}.parquet"
        generate(file, size)
        generate(tmp_path / "reference.parquet", min(size, EVIDENTLY_AT))
        artefacts(tmp_path)
        arrow, polars = run(ARROW, file, tmp_path), run(POLARS, file, tmp_path)
        drift = run(OURS.replace("QUALITY", "False"), file, tmp_path)
        whole = run(OURS.replace("QUALITY", "True"), file, tmp_path)
        assert drift["found"] == arrow["found"] == polars["found"], "the same counts, all of them"
        floor = min(arrow, polars, key=lambda found: float(found["cpu"]))
        print(f"{size:,} rows x {len(KINDS)} columns, {file.stat().st_size / 1e6:.0f} MB")
        print(line("histogram by hand, Arrow and NumPy", arrow, floor))
        print(line("histogram by hand, Polars", polars, floor))
        print(line(f"drift, judged (goal <= {FLOOR_GOAL:g} x)", drift, floor))
        print(line("drift and quality, judged", whole, floor))
        if size <= EVIDENTLY_AT:
            evidently = run(EVIDENTLY.replace("NUMERIC", repr(NUMERIC)), file, tmp_path, times=1)
            print(line("Evidently's DataDriftPreset, 18 columns", evidently, floor))
            times = evidently["cpu"] / drift["cpu"]
            print(f"{'Evidently / drift':44}{times:8.0f} x (goal >= {EVIDENTLY_GOAL:g} x)")
            assert size < EVIDENTLY_AT or times >= EVIDENTLY_GOAL
        assert drift["cpu"] <= FLOOR_GOAL * floor["cpu"]
        file.unlink()
