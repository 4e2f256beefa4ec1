"""The contract's checks against the same checks by hand, and against Great Expectations on pandas.

make bench        # or: uv run --all-extras pytest tests/benchmarks/test_validation.py -m benchmark -s

Every run is a process of its own. ``pass`` is the time between the opened file and the result,
``import`` what the process took before it; the floor is the faster of the two by hand.
TRIMTAB_BENCH_ROWS chooses the sizes (1000000,10000000).
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

SIZES = [int(n) for n in os.environ.get("TRIMTAB_BENCH_ROWS", "1000000,10000000").split(",")]
GX_LIMIT = (
    1_000_000  # above it Great Expectations is reckoned from this size, and the table says so
)
FLOATS = [f"f{i}" for i in range(10)]
INTS = [f"n{i}" for i in range(4)]
RULES: list[dict[str, Any]] = [
    {"type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": 1}},
    {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "id"}},
    {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "id"}},
    {"type": "expect_column_values_to_be_between", "kwargs": {"column": "n0", "min_value": 0, "max_value": 2000}},
    {"type": "expect_column_values_to_be_between", "kwargs": {"column": "f0", "min_value": -3.0, "max_value": 3.0, "mostly": 0.9}},
    {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "channel", "value_set": ["a", "b", "c", "d", "e"]}},
    {"type": "expect_column_values_to_match_regex", "kwargs": {"column": "sku", "regex": r"\ASKU-\d{6}\Z"}},
    {"type": "expect_column_value_lengths_to_be_between", "kwargs": {"column": "country", "min_value": 2, "max_value": 3}},
    {"type": "expect_column_mean_to_be_between", "kwargs": {"column": "f1", "min_value": -1, "max_value": 1}},
    {"type": "expect_column_stdev_to_be_between", "kwargs": {"column": "f2", "min_value": 0.5, "max_value": 1.5}},
    {"type": "expect_column_unique_value_count_to_be_between", "kwargs": {"column": "sku", "min_value": 10}},
    {"type": "expect_column_pair_values_a_to_be_greater_than_b", "kwargs": {"column_A": "n1", "column_B": "n2", "or_equal": True, "mostly": 0.1}},
]  # fmt: skip
SKETCHED = "expect_column_unique_value_count_to_be_between"
EXACT_ONLY = "expect_column_values_to_be_unique"

PRELUDE = """
import json, resource, sys, time
began = time.perf_counter()
file, exact, rules = sys.argv[1], sys.argv[2] == "exact", json.loads(sys.argv[3])
columns = [*COLUMNS]
def done(found):
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"import": started - began, "pass": time.perf_counter() - started, "mb": peak, "found": found}))
"""
OURS = """
import polars as pl, narwhals, pyarrow.parquet
from trimtab.adapters import gx
from trimtab.validation.check import check
gx.names()
rules = [{"severity": "block", **rule} for rule in rules]
if not exact:
    rules = [{**r, "exact": False} if r["type"] == SKETCHED else r for r in rules]
if ENGINE == "duckdb":
    import duckdb
started = time.perf_counter()
checked = check(file, rules, columns, name="bench", engine=ENGINE)
done([r.success for r in checked.results])
"""
POLARS = """
import polars as pl
started = time.perf_counter()
c = pl.col
distinct = [c("id").n_unique().alias("ids"), c("sku").n_unique().alias("skus")] if exact else [c("sku").approx_n_unique().alias("skus")]
found = pl.scan_parquet(file).select(
    pl.len(), c("id").null_count().alias("id_null"),
    (~c("n0").is_between(0, 2000)).sum().alias("n0"),
    (~c("f0").is_between(-3.0, 3.0)).sum().alias("f0"), c("f0").null_count().alias("f0_null"),
    (~c("channel").is_in(["a", "b", "c", "d", "e"])).sum().alias("channel"),
    (~c("sku").str.contains(r"\\ASKU-[0-9]{6}\\z")).sum().alias("sku"),
    (~c("country").str.len_chars().is_between(2, 3)).sum().alias("country"),
    c("f1").mean().alias("mean"), c("f2").std().alias("std"),
    (c("n1") < c("n2")).sum().alias("pair"), *distinct,
).collect(engine="streaming")
done([int(found["len"][0])])
"""
DUCKDB = """
import duckdb
started = time.perf_counter()
distinct = "count(DISTINCT id), count(DISTINCT sku)" if exact else "approx_count_distinct(sku)"
found = duckdb.sql(f'''SELECT count(*), count(*) - count(id),
    count_if(NOT n0 BETWEEN 0 AND 2000), count_if(NOT f0 BETWEEN -3 AND 3), count(*) - count(f0),
    count_if(channel NOT IN ('a', 'b', 'c', 'd', 'e')),
    count_if(NOT regexp_matches(sku, '^SKU-[0-9]{{6}}$')), count_if(NOT length(country) BETWEEN 2 AND 3),
    avg(f1), stddev_samp(f2), count_if(n1 < n2), {distinct} FROM read_parquet('{file}')''').fetchall()[0]
done([int(found[0])])
"""
GX = """
import polars as pl
from trimtab.adapters import gx, gx_engine
gx.names()
built = {i: gx.build(i, {"severity": "block", **rule}) for i, rule in enumerate(rules)}
started = time.perf_counter()
found = gx_engine.run(pl.read_parquet(file, columns=columns), built, name="bench")
done([bool(found[i].success) for i in sorted(found)])
"""


def generate(file: Path, rows: int) -> list[str]:
    """Write ``rows`` rows of 20 columns, in batches, so that this process stays small."""
    import pyarrow.parquet as pq

    rng = np.random.default_rng(7)
    writer = None
    for start in range(0, rows, 250_000):
        n = min(250_000, rows - start)
        frame = pl.DataFrame(
            {"id": np.arange(start, start + n), "label": rng.integers(0, 2, n)}
            | {name: rng.normal(size=n) for name in FLOATS}
            | {name: rng.integers(0, 2000, n) for name in INTS}
        ).with_columns(
            pl.Series("channel", np.array(list("abcde"))[rng.integers(0, 5, n)]),
            pl.Series("country", np.array([f"C{i}" for i in range(40)])[rng.integers(0, 40, n)]),
            ("SKU-" + pl.Series(rng.integers(0, 500_000, n)).cast(pl.String).str.zfill(6)).alias("sku"),
            (pl.datetime(2024, 1, 1, time_unit="us", time_zone="UTC") + pl.duration(seconds=pl.Series(np.arange(start, start + n)))).alias("ts"),
            *(pl.when(pl.Series(rng.random(n) > 0.002)).then(pl.col(name)).alias(name) for name in FLOATS[:5]),
        )  # fmt: skip
        table = frame.to_arrow()
        writer = writer or pq.ParquetWriter(file, table.schema, compression="snappy")
        writer.write_table(table)
    assert writer is not None
    writer.close()
    return frame.columns


def run(code: str, file: Path, mode: str, **names: Any) -> dict[str, Any]:
    """Run one contender in processes of its own (the first warms the disk's cache); best pass."""
    for name, value in names.items():
        code = code.replace(name, repr(value))
    rules = [rule for rule in RULES if mode == "exact" or rule["type"] != EXACT_ONLY]
    told = [
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code, str(file), mode, json.dumps(rules)],
            capture_output=True, text=True, check=True,
        )
        for _ in range(1 if "gx_engine" in code else 3)
    ]  # fmt: skip
    runs = [json.loads(done.stdout.strip().splitlines()[-1]) for done in told]
    return min(runs, key=lambda found: float(found["pass"]))


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("rows", SIZES)
def test_one_pass(tmp_path: Path, rows: int) -> None:
    file, small = tmp_path / "rows.parquet", tmp_path / "small.parquet"
    names = {"COLUMNS": generate(file, rows), "SKETCHED": SKETCHED}
    part = min(rows, GX_LIMIT)
    pl.scan_parquet(file).head(part).sink_parquet(small)
    print(f"\n{rows:,} rows x 20 columns, {len(RULES)} rules (sketch: one less, no unique key)")
    for mode in ("exact", "sketch"):
        found = {
            "polars by hand": run(PRELUDE + POLARS, file, mode, **names),
            "duckdb by hand": run(PRELUDE + DUCKDB, file, mode, **names),
            "trimtab": run(PRELUDE + OURS, file, mode, ENGINE="polars", **names),
            "trimtab on duckdb": run(PRELUDE + OURS, file, mode, ENGINE="duckdb", **names),
            "GX on pandas": run(PRELUDE + GX, small, mode, **names),
        }
        assert found["trimtab"]["found"] == found["GX on pandas"]["found"]
        slow = found["GX on pandas"]["pass"] * rows / part
        floor = min(found[name]["pass"] for name in ("polars by hand", "duckdb by hand"))
        for name, item in found.items():
            took = slow if name.startswith("GX") else item["pass"]
            of_part = (
                f" (reckoned from {part:,} rows)" if name.startswith("GX") and part < rows else ""
            )
            print(
                f"  {mode:6} {name:17} {took:8.2f} s {took / floor:7.2f} x the floor"
                f" {slow / took:6.1f} x as fast as GX {item['mb']:6.0f} MB"
                f"   import {item['import']:.1f} s{of_part}"
            )
