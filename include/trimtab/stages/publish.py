"""Make files that passed part of the dataset's table, one version each, each once.

>>> from trimtab.environment import open_environment
>>> from trimtab.stages.publish import publish
>>> env = open_environment()  # doctest: +SKIP
>>> [version.total_rows for version in publish(env, "flights", shas)]  # doctest: +SKIP
"""

import logging
from collections.abc import Sequence

import polars as pl

from trimtab.adapters import delta
from trimtab.data import keys, quarantine, staging
from trimtab.environment import Environment
from trimtab.ledger import locks
from trimtab.types import FILE, PARTITION, ROW, DatasetVersion, FileVerdict, Validation

log = logging.getLogger(__name__)


def publish(env: Environment, dataset: str, shas: Sequence[str]) -> list[DatasetVersion]:
    """Append each file that passed validation; return the version each of them made.

    Files that failed, or are not validated yet, are left out and named in the log.

    Raises:
        DataError: a file's columns or types are not the table's.
    """
    with locks.publishing(env.ledger, dataset):
        made = [_published(env, dataset, sha256) for sha256 in dict.fromkeys(shas)]
    return [version for version in made if version is not None]


def _published(env: Environment, dataset: str, sha256: str) -> DatasetVersion | None:
    if done := env.ledger.find("dataset_version", dataset, sha256):
        return DatasetVersion.model_validate(done.payload)
    file, validation = _known(env, dataset, sha256)
    if file is None or validation is None or not validation.passed:
        why = "was not validated" if validation is None else f"failed {list(validation.blocked)}"
        log.warning("%s: %s is not published, it %s", dataset, file.name if file else sha256, why)
        return None
    version = delta.committed(env.table(dataset), sha256)
    if version is None:
        version = _append(env, file, _rows(env, file, validation))
    record = _record(env, file, version)
    event = env.ledger.append("dataset_version", dataset, sha256, record.to_json())
    log.info("%s/%s is version %d: %d rows", dataset, file.name, version, record.rows)
    return DatasetVersion.model_validate(event.payload)


def _known(
    env: Environment, dataset: str, sha256: str
) -> tuple[FileVerdict | None, Validation | None]:
    file = env.ledger.find("file", dataset, sha256)
    validation = env.ledger.find("validation", dataset, sha256)
    return (
        FileVerdict.model_validate(file.payload) if file else None,
        Validation.model_validate(validation.payload) if validation else None,
    )


def _rows(env: Environment, file: FileVerdict, validation: Validation) -> pl.DataFrame:
    """Read what passed, less rows whose key another file published since this one was judged."""
    rows = staging.scan(env, str(validation.staged)).collect()
    table = env.table(file.dataset)
    if not delta.exists(table):
        return rows
    spec = env.project.dataset(file.dataset)
    late = keys.published(rows, spec, delta.scan(table), file.sha256)
    if late.height:
        log.warning(
            "%s/%s: %d keys came first in another file", file.dataset, file.name, late.height
        )
        bad = quarantine.with_text(env, file.dataset, file.sha256, late)
        key = quarantine.rows_key(file.dataset, file.sha256, step="publish")
        quarantine.keep_rows(env, key, bad, name=file.name, sha256=file.sha256)
    return rows.join(late, on=ROW, how="anti", maintain_order="left")


def _append(env: Environment, file: FileVerdict, rows: pl.DataFrame) -> int:
    note = {"sha256": file.sha256, "name": file.name, "rows": str(rows.height)}
    return delta.append_once(env.table(file.dataset), rows.to_arrow(), file.sha256, note)


def _record(env: Environment, file: FileVerdict, version: int) -> DatasetVersion:
    time = env.project.dataset(file.dataset).time
    table = delta.scan(env.table(file.dataset), version)
    mine = pl.col(FILE) == file.sha256
    seen = table.select(
        pl.len().alias("total"),
        mine.sum().alias("rows"),
        (pl.col(time).max() if time else pl.lit(None)).alias("newest"),
        pl.col(PARTITION).filter(mine).unique().sort().implode().alias("partitions"),
    ).collect()
    total, rows, newest, partitions = seen.row(0)
    return DatasetVersion(
        dataset=file.dataset,
        version=version,
        sha256=file.sha256,
        name=file.name,
        rows=rows,
        total_rows=total,
        partitions=tuple(partitions),
        newest=newest,
    )
