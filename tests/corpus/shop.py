"""A small shop's orders: the contract, a good day, and that day as a file of any format."""

import copy
import csv
import functools
import gzip
import io
import json
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

Row = dict[str, str]
DAY = datetime(2026, 3, 5, tzinfo=UTC)
ARRIVAL = DAY + timedelta(days=1, hours=2)
ROWS = 200
COUNTRIES = ["DE", "FR", "NA", "NL", "US"]  # NA is Namibia
CHANNELS = ["phone", "shop", "web"]
INTS, FLOATS = ("age", "items", "till"), ("price", "weight")
SUFFIX = {"csv": "csv", "gz": "csv.gz", "jsonl": "jsonl", "parquet": "parquet"}

CONTRACT: dict[str, Any] = {
    "dataset": "orders",
    "owner": "shop",
    "source": {
        "uri": "landing/orders",
        "pattern": "*",
        "named": r"orders-(\d{4}-\d{2}-\d{2})[.](csv|jsonl|parquet)([.]gz)?",
    },
    "key": ["order_id"],
    "time": "ordered_at",
    "partition": "day",
    "label": "returned",
    "limits": {"max_bytes": "16MB", "max_rows": 1_000_000, "min_rows": 20},
    "history": {"min_files": 5},
    "columns": {
        "order_id": {"type": "text", "pattern": "[0-9]{8}"},
        "ordered_at": {"type": "time"},
        "customer": {"type": "text", "pattern": "[0-9]{19}"},
        "country": {"type": "category", "values": COUNTRIES},
        "channel": {"type": "category", "values": CHANNELS},
        "age": {"type": "int", "min": 0, "max": 120},
        "items": {"type": "int", "min": 1, "max": 999},
        "till": {"type": "int", "min": 1, "max": 9, "min_distinct": 2},
        "price": {"type": "float", "min": 0, "max": 100_000},
        "weight": {"type": "float", "nullable": True, "min": 0, "max": 1_000},
        "coupon": {"type": "text", "nullable": True, "max_distinct": 40},
        "note": {"type": "text", "nullable": True, "max_missing": 0.9},
        "returned": {"type": "category", "values": ["0", "1"]},
    },
}
COLUMNS = list(CONTRACT["columns"])


def contract(form: str = "csv", changes: Mapping[str, Any] | None = None) -> str:
    """The dataset file for one format, with some keys changed (columns one by one)."""
    spec = copy.deepcopy(CONTRACT)
    spec["source"]["format"] = "csv" if form == "gz" else form
    for key, value in (changes or {}).items():
        if isinstance(value, dict) and isinstance(spec.get(key), dict):
            spec[key].update(value)
        else:
            spec[key] = value
    return yaml.safe_dump(spec, sort_keys=False)


def good_rows(day: datetime = DAY, count: int = ROWS, seed: int = 7) -> list[Row]:
    """One day of orders; ids have leading zeros, customers 19 digits."""
    return [dict(row) for row in _orders(day, count, seed)]


@functools.cache
def _orders(day: datetime, count: int, seed: int) -> list[Row]:
    draw = random.Random(f"{seed} {day}")
    step = timedelta(days=1) / count
    return [_order(draw, number, day + step * number) for number in range(count)]


def _order(draw: random.Random, number: int, at: datetime) -> Row:
    return {
        "order_id": f"{(at.toordinal() % 1000) * 10_000 + number:08d}",
        "ordered_at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "customer": str(draw.randrange(9_000_000_000_000_000_000, 9_223_372_036_854_775_807)),
        "country": draw.choice(COUNTRIES),
        "channel": draw.choice(CHANNELS),
        "age": str(draw.randint(18, 90)),
        "items": str(draw.randint(1, 9)),
        "till": str(draw.randint(1, 5)),
        "price": f"{draw.uniform(5, 500):.2f}",
        "weight": draw.choice(["", f"{draw.uniform(0.1, 30):.3f}"]),
        "coupon": draw.choice(["", "SPRING", "VIP", "10%"]),
        "note": draw.choice(["", "gift", "call first", "naïve café", "leave at door"]),
        "returned": draw.choice("00001"),
    }


def to_csv(rows: Sequence[Row], columns: Sequence[str] = COLUMNS, **options: Any) -> str:
    """CSV text as most tools write it."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, lineterminator="\n", **options)
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def to_bytes(rows: Sequence[Row], form: str) -> bytes:
    """The rows as the bytes of a csv, gz, jsonl or parquet file."""
    match form:
        case "jsonl":
            return "".join(json.dumps(_json(row)) + "\n" for row in rows).encode()
        case "parquet":
            return parquet(table(rows))
    data = to_csv(rows).encode()
    return zipped(data) if form == "gz" else data


def zipped(data: bytes) -> bytes:
    """Gzip without a time in it, so that the same rows are the same bytes."""
    return gzip.compress(data, mtime=0)


def table(rows: Sequence[Row]) -> pa.Table:
    """The rows as another program with types would write them."""
    columns = {}
    for name in rows[0]:
        cells = [row[name] or None for row in rows]
        columns[name] = pa.array(
            [None if c is None else typed(name, c) for c in cells], _kind(name)
        )
    return pa.table(columns)


def parquet(rows: pa.Table) -> bytes:
    """A table as the bytes of a Parquet file."""
    stream = io.BytesIO()
    pq.write_table(rows, stream)
    return stream.getvalue()


def typed(name: str, cell: str) -> Any:
    """The value of a cell by the contract."""
    if name in INTS:
        return int(cell)
    if name in FLOATS:
        return float(cell)
    if name == "ordered_at":
        return datetime.fromisoformat(cell).astimezone(UTC)
    return cell


def _kind(name: str) -> pa.DataType:
    if name in INTS:
        return pa.int64()
    if name in FLOATS:
        return pa.float64()
    return pa.timestamp("us", "UTC") if name == "ordered_at" else pa.string()


def _json(row: Row) -> dict[str, Any]:
    """Numbers where the cell is one, else its text; no value is null."""
    return {name: _number(name, cell) if cell else None for name, cell in row.items()}


def _number(name: str, cell: str) -> Any:
    if name not in INTS + FLOATS:
        return cell
    try:
        value = json.loads(cell)
    except ValueError:
        return cell
    return value if isinstance(value, int | float) else cell
