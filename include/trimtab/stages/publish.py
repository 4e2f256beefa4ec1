"""Make files that passed part of the dataset's table, one version each, each once.

>>> from trimtab.environment import open_environment
>>> from trimtab.stages.publish import publish
>>> env = open_environment()  # doctest: +SKIP
>>> [version.total_rows for version in publish(env, "flights", shas)]  # doctest: +SKIP
"""

import logging
from collections.abc import Sequence

from trimtab.adapters import delta, delta_commit, delta_files
from trimtab.data import quarantine, versions, writing
from trimtab.data.table import Table, before, name_of, opened
from trimtab.data.text import REASON
from trimtab.data.writing import Plan
from trimtab.environment import Environment
from trimtab.errors import DataError, LedgerConflictError
from trimtab.ledger import datasets, locks
from trimtab.stages.evolve import evolve, evolved
from trimtab.types import DatasetVersion, FileVerdict, Validation

log = logging.getLogger(__name__)
_ATTEMPTS = 10  # others may publish between our look and our commit; a lock makes that rare


def publish(env: Environment, dataset: str, shas: Sequence[str]) -> list[DatasetVersion]:
    """Give each file that passed validation to the table; return what each of them made of it.

    Files go in the order in which they were judged. Files that failed, or are not validated yet,
    are left out and named in the log; a file that cannot be published does not hold up the others.

    Raises:
        DataError: no file could be published; names each whose columns the table cannot take.
    """
    made, problems = list[DatasetVersion](), list[str]()
    with locks.publishing(env.ledger, dataset):
        rank = datasets.order(env.ledger, dataset)
        for sha256 in sorted(dict.fromkeys(shas), key=lambda sha: rank.get(sha, 0)):
            try:
                version = _published(env, dataset, sha256)
            except DataError as error:
                problems.append(str(error))
                continue
            made += [version] if version else []
    if problems and not made:
        raise DataError("; ".join(problems))
    for problem in problems:  # the others are there, and whoever waits for them has to hear of it
        env.notifier.send("warning", f"{dataset}: a file cannot be published", problem)
    return made


def _published(env: Environment, dataset: str, sha256: str) -> DatasetVersion | None:
    if done := env.ledger.find(datasets.KIND, dataset, sha256):
        return DatasetVersion.model_validate(done.payload)
    file, validation = _known(env, dataset, sha256)
    if file is None or validation is None or not validation.passed:
        why = "was not validated" if validation is None else f"failed {list(validation.blocked)}"
        log.warning("%s: %s is not published, it %s", dataset, file.name if file else sha256, why)
        return None
    record = _committed(env, file, str(validation.staged))
    event = env.ledger.append(datasets.KIND, dataset, sha256, record.to_json())
    record = DatasetVersion.model_validate(event.payload)
    _log(record)
    if event.new and record.operation == "restate" and record.rows_removed:
        title = f"{dataset}: {record.name} came again and lacks {record.rows_removed} row(s)"
        env.notifier.send("warning", title, f"version {record.version - 1} has them still")
    return record


def _known(
    env: Environment, dataset: str, sha256: str
) -> tuple[FileVerdict | None, Validation | None]:
    file = env.ledger.find("file", dataset, sha256)
    validation = env.ledger.find("validation", dataset, sha256)
    return (
        FileVerdict.model_validate(file.payload) if file else None,
        Validation.model_validate(validation.payload) if validation else None,
    )


def _committed(env: Environment, file: FileVerdict, staged: str) -> DatasetVersion:
    """Commit until nobody comes in between; tell what was committed, also by an earlier attempt."""
    for _ in range(_ATTEMPTS):
        try:
            return _attempt(env, file, staged)
        except LedgerConflictError as conflict:
            log.info("%s/%s: %s", file.dataset, file.name, conflict)
    raise LedgerConflictError(f"{file.dataset}/{file.name}: others keep changing the table; retry")


def _attempt(env: Environment, file: FileVerdict, staged: str) -> DatasetVersion:
    path = env.table(file.dataset)
    version = delta.committed(path, file.sha256)
    if version is None:
        columns = evolve(env, file, staged)
        base = delta.version(path) if delta.exists(path) else None
    else:  # the plan is a function of the version it was made for, so it is the same again
        columns, base = evolved(env, file), version - 1 if version else None
    table = _table(env, file, staged, base)
    plan = writing.plan(env, file, staged, table)
    if version is None:
        version = _commit(env, file, plan, table)
    _set_aside(env, file, plan)
    return _record(env, file, plan, table, version, columns)


def _table(env: Environment, file: FileVerdict, staged: str, base: int | None) -> Table:
    path = env.table(file.dataset)
    columns = delta_files.columns(path, name_of(file.dataset, staged))
    return before(path, base, columns)


def _commit(env: Environment, file: FileVerdict, plan: Plan, table: Table) -> int:
    if plan.nothing and table.version is not None:
        return table.version
    return delta_commit.commit(
        table.path,
        add=plan.add,
        remove=plan.remove,
        transaction=file.sha256,
        note={"write": plan.operation, "sha256": file.sha256, "name": file.name},
        at=int(env.clock.now().timestamp() * 1000),
        base=table.version,
        schema=table.schema,
    )


def _set_aside(env: Environment, file: FileVerdict, plan: Plan) -> None:
    if plan.aside.is_empty():
        return
    log.warning(
        "%s/%s: %d keys came first in another file", file.dataset, file.name, plan.aside.height
    )
    bad = quarantine.with_text(env, file.dataset, file.sha256, plan.aside)
    key = quarantine.rows_key(file.dataset, file.sha256, step="publish")
    quarantine.keep_rows(env, key, bad, name=file.name, sha256=file.sha256)


def _record(
    env: Environment,
    file: FileVerdict,
    plan: Plan,
    table: Table,
    version: int,
    columns: tuple[str, ...],
) -> DatasetVersion:
    after = opened(table.path, version)
    comes, goes = plan.difference
    reasons = plan.aside[REASON].value_counts().sort(REASON).iter_rows()
    return DatasetVersion(
        dataset=file.dataset,
        version=version,
        sha256=file.sha256,
        name=file.name,
        rows=plan.rows,
        total_rows=sum(each.rows for each in after.files.values()),
        partitions=plan.partitions,
        newest=versions.newest(env, file.dataset, after),
        operation=plan.operation,
        rows_added=plan.added,
        rows_updated=plan.updated,
        rows_removed=plan.removed,
        rows_unchanged=plan.unchanged,
        superseded=plan.superseded,
        set_aside=dict(reasons),
        replaces=plan.replaces,
        columns_added=columns,
        content=str(versions.content_of(env, file.dataset, table) + comes - goes),
    )


def _log(record: DatasetVersion) -> None:
    log.info(
        "%s/%s: %s, version %d: %d rows added, %d updated, %d removed, %d as before, %s set aside",
        record.dataset,
        record.name,
        record.operation,
        record.version,
        record.rows_added,
        record.rows_updated,
        record.rows_removed,
        record.rows_unchanged,
        record.set_aside or 0,
    )
