"""Publish tables straight through the adapters: what ingest, validate and publish leave behind."""

import hashlib
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from trimtab.adapters import delta, delta_commit, delta_files
from trimtab.data import staging
from trimtab.data.table import name_of
from trimtab.environment import Environment
from trimtab.types import FILE, PARTITION, ROW, DatasetVersion, FileVerdict

TYPES = {
    "int": pl.Int64(),
    "float": pl.Float64(),
    "text": pl.String(),
    "category": pl.String(),
    "bool": pl.Boolean(),
    "time": pl.Datetime("us", "UTC"),
}


def publish(
    env: Environment, dataset: str, rows: pl.DataFrame | dict[str, Any], name: str = "one.csv"
) -> DatasetVersion:
    """Append ``rows`` as one published file and write its ``file`` and ``dataset_version``."""
    spec = env.project.dataset(dataset)
    schema = {column: TYPES[kind.type] for column, kind in spec.columns.items()}
    table = pl.DataFrame(rows).select(list(schema)).cast(schema)
    sha = hashlib.sha256(f"{dataset}{name}{table.write_csv()}".encode()).hexdigest()
    newest = table[spec.time].max() if spec.time else None
    part = newest.strftime("%Y-%m") if isinstance(newest, datetime) else name
    table = table.with_row_index(ROW, offset=1).with_columns(
        pl.lit(sha).alias(FILE), pl.col(ROW).cast(pl.Int64), pl.lit(part).alias(PARTITION)
    )
    version = _commit(env, dataset, sha, table)
    before = env.ledger.latest("dataset_version", dataset)
    marks = [mark for mark in (newest, _newest(before)) if mark is not None]
    verdict = FileVerdict(
        dataset=dataset,
        name=name,
        sha256=sha,
        verdict="accepted",
        rows_read=table.height,
        rows_accepted=table.height,
        partitions=(part,),
        newest=newest,
    )
    env.ledger.append("file", dataset, sha, verdict.to_json())
    published = DatasetVersion(
        dataset=dataset,
        version=version,
        sha256=sha,
        name=name,
        rows=table.height,
        total_rows=table.height + (before.payload["total_rows"] if before else 0),
        partitions=(part,),
        newest=max(marks, default=None),
    )
    env.ledger.append("dataset_version", dataset, sha, published.to_json())
    return published


def _commit(env: Environment, dataset: str, sha: str, rows: pl.DataFrame) -> int:
    path = env.table(dataset)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.parquet"
        rows.write_parquet(file)
        name = name_of(dataset, staging.put_rows(env, dataset, sha, file))
    return delta_commit.commit(
        path,
        add=[delta_files.described(path, name)],
        transaction=sha,
        note={"sha256": sha},
        at=0,
        base=delta.version(path) if delta.exists(path) else None,
        schema=delta_files.columns(path, name),
    )


def _newest(event: Any) -> datetime | None:
    return DatasetVersion.model_validate(event.payload).newest if event else None
