"""Small deliveries, one per way to write, and two ways to take them in: ours and a naive one."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DATASET = """
dataset: shop
owner: me
source: {{uri: landing/shop}}
key: [id]
time: at
partition: month
write: {write}
max_bad_rows: 0.3
columns:
  id: {{type: int}}
  at: {{type: time}}
  n: {{type: int, min: 0, max: 1000}}
  kind: {{type: category}}
checks:
  - {{expect: expect_column_values_to_be_between, column: n, max_value: 900, severity: quarantine}}
"""
Rows = list[tuple[int, str, int | str]]


def month(number: int, first: int, count: int = 40, n: int = 5, year: int = 2026) -> Rows:
    days = [f"{year}-{number:02d}-{1 + i % 28:02d}T08:00:00Z" for i in range(count)]
    return [(first + i, day, n) for i, day in enumerate(days)]


JANUARY, FEBRUARY = month(1, 0), month(2, 100)
# one row that is no number, one that a check sets aside, one that January has, one twice
AWKWARD: Rows = [
    (200, "2026-02-01T08:00:00Z", "x"),
    (201, "2026-02-02T08:00:00Z", 950),
    (3, "2026-02-03T08:00:00Z", 7),
    (100, "2026-02-01T08:00:00Z", 5),
]
# name: write mode, files there before, files delivered under fault
SCENARIOS: dict[str, tuple[str, dict[str, Rows], dict[str, Rows]]] = {
    "first": ("append", {}, {"jan.csv": JANUARY}),
    "append": ("append", {"jan.csv": JANUARY}, {"feb.csv": FEBRUARY + AWKWARD}),
    "upsert": ("upsert", {"jan.csv": JANUARY}, {"fix.csv": month(1, 20, 40, n=6)}),
    "replace_partition": (
        "replace_partition",
        {"jan.csv": JANUARY, "feb.csv": FEBRUARY},
        {"feb2.csv": month(2, 100, 25, n=8)},
    ),
    "restated": (
        "append",
        {"jan.csv": JANUARY},
        {"jan.csv": [*JANUARY[:-4], (39, "2026-01-12T08:00:00Z", 77)]},
    ),
    "refused": ("append", {"jan.csv": JANUARY}, {"bad.csv": AWKWARD[:1] * 3 + FEBRUARY[:4]}),
    "two files": (
        "append",
        {"jan.csv": JANUARY},
        {"feb.csv": FEBRUARY, "dec.csv": month(12, 300, year=2025)},
    ),
}


def prepare(home: Path, config: Path, write: str) -> None:
    (config / "datasets").mkdir(parents=True, exist_ok=True)
    (config / "datasets" / "shop.yaml").write_text(DATASET.format(write=write))
    (home / "landing" / "shop").mkdir(parents=True, exist_ok=True)


def land(home: Path, files: dict[str, Rows], minute: int) -> None:
    """Drop complete files whose time of change says in which order they came."""
    for i, (name, rows) in enumerate(files.items()):
        file = home / "landing" / "shop" / name
        lines = [f"{id_},{at},{n},a{id_ % 3}" for id_, at, n in rows]
        file.write_text("\n".join(["id,at,n,kind", *lines]) + "\n")
        moment = datetime(2026, 2, 27, 8, minute + i, tzinfo=UTC).timestamp()
        os.utime(file, (moment, moment))


def ours(env: Any, only: str | None) -> None:
    """What a run does: everything new, and what an earlier run left half way."""
    from trimtab.stages import backlog, ingest, publish, validate

    for file in ingest.discover(env, "shop"):
        if only in (None, file.name):
            ingest.ingest(env, file)
    for sha in backlog.unvalidated(env, "shop"):
        validate.validate(env, "shop", sha)
    if passed := backlog.unpublished(env, "shop"):
        publish.publish(env, "shop", passed)


def naive(env: Any, only: str | None) -> None:
    """The control: append, then note it. What most pipelines are; it must not survive."""
    import polars as pl

    from trimtab.adapters import delta

    for file in sorted((env.home / "landing" / "shop").iterdir()):
        if env.ledger.find("naive", "shop", file.name):
            continue
        rows = pl.read_csv(file, infer_schema=False)
        delta.write_deltalake(env.table("shop"), rows.to_arrow(), mode="append")
        env.ledger.append("naive", "shop", file.name, {"rows": rows.height})


PIPELINES: dict[str, Callable[[Any, str | None], None]] = {"ours": ours, "naive": naive}
