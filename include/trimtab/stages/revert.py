"""Give a dataset the content of an earlier version again, as a new version; nothing is copied."""

import logging

import polars as pl

from trimtab.adapters import delta, delta_commit, delta_files
from trimtab.adapters.delta_files import DataFile
from trimtab.data import versions, writing
from trimtab.data.writing import Table
from trimtab.environment import Environment
from trimtab.errors import DataError, NotReadyError
from trimtab.ledger import datasets, locks
from trimtab.ledger.chain import digest
from trimtab.types import PARTITION, DatasetVersion

log = logging.getLogger(__name__)


def revert(
    env: Environment, dataset: str, version: int, *, reason: str, actor: str
) -> DatasetVersion:
    """Make a new version with the content of ``version``.

    The files whose rows leave the table stay known: they do not come back by themselves, and the
    same bytes delivered again are a duplicate. To have them back, revert to a version that has
    them. The same person with the same reason means the same revert, so a retry does nothing more.

    Raises:
        NotReadyError: there is no such version, no reason, or nothing would change.
        DataError: retention has removed files of that version, or a column's type changed since.
    """
    if not reason.strip():
        raise NotReadyError(f"a revert of {dataset} needs a reason; say why")
    with locks.publishing(env.ledger, dataset):
        target = datasets.at(env.ledger, dataset, version)
        if done := _done(env, target, reason, actor):
            return done
        transaction = _transaction(env, dataset, version)
        record = _committed(env, target, transaction).model_copy(
            update={"actor": actor, "reason": reason}
        )
        event = env.ledger.append(
            datasets.KIND, dataset, transaction, record.to_json(), actor=actor
        )
    made = DatasetVersion.model_validate(event.payload)
    title = f"{dataset} was reverted to version {version}"
    env.notifier.send("warning", title, f"version {made.version}: {reason} ({actor})")
    return made


def _done(
    env: Environment, target: DatasetVersion, reason: str, actor: str
) -> DatasetVersion | None:
    last = env.ledger.latest(datasets.KIND, target.dataset)
    record = DatasetVersion.model_validate(last.payload) if last else target
    wanted = ("revert", target.version, reason, actor)
    asked = (record.operation, record.target, record.reason, record.actor)
    return record if asked == wanted else None


def _transaction(env: Environment, dataset: str, version: int) -> str:
    """Identity of this revert: its target, and how many reverts came before."""
    known = datasets.versions(env.ledger, dataset)
    before = sum(record.operation == "revert" for record in known)
    return digest([dataset, "revert", version, before])


def _committed(env: Environment, target: DatasetVersion, transaction: str) -> DatasetVersion:
    path = env.table(target.dataset)
    done = delta.committed(path, transaction)
    base = delta.version(path) if done is None else done - 1
    now, then = _table(path, base), _table(path, target.version)
    comes = [file for name, file in then.files.items() if name not in now.files]
    goes = [file for name, file in now.files.items() if name not in then.files]
    if not comes and not goes:
        raise NotReadyError(
            f"{target.dataset}: version {target.version} has the same rows as version {base}"
        )
    _there(env, target, comes)
    if done is None:
        done = delta_commit.commit(
            path,
            add=comes,
            remove=goes,
            transaction=transaction,
            note={"write": "revert", "target": target.version},
            at=int(env.clock.now().timestamp() * 1000),
            base=base,
        )
    return _record(env, target, transaction, done, (now, then), (comes, goes))


def _there(env: Environment, target: DatasetVersion, files: list[DataFile]) -> None:
    keys = [f"datasets/{target.dataset}/{file.name}" for file in files]
    if gone := [key for key in keys if not env.store.exists(key)]:
        raise DataError(
            f"{target.dataset}: version {target.version} cannot come back: retention has removed "
            f"{len(gone)} of its files ({gone[0]} ...); choose a version that `trimtab data log` "
            "shows as kept"
        )


def _record(
    env: Environment,
    target: DatasetVersion,
    transaction: str,
    version: int,
    tables: tuple[Table, Table],
    files: tuple[list[DataFile], list[DataFile]],
) -> DatasetVersion:
    now, then = tables
    comes, goes = now.read(files[0]), now.read(files[1])
    key = list(env.project.dataset(target.dataset).key)
    known, equal = writing.compared(comes, goes, key)
    rows = [sum(file.rows for file in some) for some in files]
    parts = pl.concat([side.select(PARTITION) for side in (comes, goes)]).unique()
    total = sum(file.rows for file in then.files.values())
    log.info("%s: version %d has the rows of version %d", target.dataset, version, target.version)
    return DatasetVersion(
        dataset=target.dataset,
        version=version,
        sha256=transaction,
        name=f"revert to version {target.version}",
        rows=0,
        total_rows=total,
        partitions=tuple(parts.sort(PARTITION).collect()[PARTITION]),
        newest=versions.newest(env, target.dataset, then),
        operation="revert",
        rows_added=rows[0] - known,
        rows_updated=known - equal,
        rows_removed=rows[1] - known,
        rows_unchanged=equal,
        target=target.version,
        content=target.content or str(versions.measured(then)),
    )


def _table(path: str, version: int) -> Table:
    return Table(path, version, delta.schema(path, version), delta_files.files(path, version))
