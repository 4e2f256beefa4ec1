"""One atomic commit of Parquet files that lie in the table's folder already; nothing is copied."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Schema, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.transaction import AddAction, RemoveAction, create_table_with_add_actions

from trimtab.adapters import delta, delta_files
from trimtab.adapters.delta_files import DataFile
from trimtab.errors import DataError, LedgerConflictError

# No version may be lost behind our back: what is removed, and when, is the affair of retention.
_KEPT = {
    "delta.logRetentionDuration": "interval 36500 days",
    "delta.enableExpiredLogCleanup": "false",
    "delta.deletedFileRetentionDuration": "interval 36500 days",
}


def commit(
    path: str,
    *,
    add: Sequence[DataFile],
    remove: Iterable[DataFile] = (),
    transaction: str,
    note: Mapping[str, Any],
    at: int,
    base: int | None,
    schema: pa.Schema | None = None,
) -> int:
    """Make the version after ``base`` (None: the first one) and return its number.

    Delta records an application transaction and does not enforce it; here a transaction that was
    committed is not committed again, and nothing is committed on another version than ``base``.

    Args:
        path: folder or s3:// address of the table.
        add: files that lie in the folder and become part of the table.
        remove: files of ``base`` that are no longer part of the table; they stay in the folder.
        transaction: what is committed at most once, such as the hash of a delivered file.
        note: plain values that people find in the table's history.
        at: milliseconds since 1970, the time of change that is noted.
        base: the version that the change was made for.
        schema: the table's columns when ``base`` is None.

    Raises:
        LedgerConflictError: somebody else has changed the table since ``base``.
        DataError: the columns of a file are not the table's.
    """
    if (done := delta.committed(path, transaction)) is not None:
        return done
    properties = _properties(transaction, note)
    added = [_added(file, at) for file in add]
    try:
        if base is None:
            if schema is None:
                raise DataError(f"{path}: the first version of a table needs its columns")
            _fits(path, add, schema)
            create_table_with_add_actions(
                path,
                Schema.from_arrow(schema),
                added,
                configuration=_KEPT,
                commit_properties=properties,
            )
            return 0
        table = DeltaTable(path, version=base)
        _fits(path, add, pa.schema(table.schema().to_arrow()))
        gone = [RemoveAction(file.name, True, at, file.size) for file in remove]
        table.create_write_transaction(
            [*added, *gone], "append", table.schema(), commit_properties=properties
        )
    except (CommitFailedError, DeltaError) as error:
        if isinstance(error, CommitFailedError) or "already exists" in str(error):
            raise LedgerConflictError(
                f"{path}: somebody else changed the table after version {base}; look again"
            ) from error
        raise
    return (-1 if base is None else base) + 1


def rebuild(
    path: str,
    *,
    files: Sequence[DataFile],
    schema: pa.Schema,
    transaction: str,
    note: Mapping[str, Any],
    at: int,
    base: int,
) -> int:
    """Replace columns and all files of ``base`` in one commit; returns the version it made.

    Raises:
        LedgerConflictError: somebody else has changed the table since ``base``.
    """
    if (done := delta.committed(path, transaction)) is not None:
        return done
    try:
        DeltaTable(path, version=base).create_write_transaction(
            [_added(file, at) for file in files],
            "overwrite",
            Schema.from_arrow(schema),
            commit_properties=_properties(transaction, note),
        )
    except CommitFailedError as error:
        raise LedgerConflictError(
            f"{path}: somebody else changed the table after version {base}; look again"
        ) from error
    return base + 1


def add_columns(path: str, fields: pa.Schema, note: Mapping[str, Any]) -> int:
    """Add nullable columns to the table; returns the version it made.

    Raises:
        LedgerConflictError: somebody else has changed the table at the same time.
    """
    table = DeltaTable(path)
    wanted = Schema.from_arrow(fields).fields
    try:
        table.alter.add_columns(wanted, commit_properties=_properties(None, note))
    except CommitFailedError as error:
        raise LedgerConflictError(f"{path}: somebody else changed the table; look again") from error
    return int(table.version())


def same_type(left: pa.DataType, right: pa.DataType) -> bool:
    """Whether two types are one to Delta, which knows a single kind of text."""

    def plain(kind: pa.DataType) -> str:
        return str(kind).replace("large_", "").replace("_view", "")

    return plain(left) == plain(right)


def _fits(path: str, add: Iterable[DataFile], there: pa.Schema) -> None:
    """Delta would take any file and cast, or fail, when somebody reads it."""
    types = {field.name: field.type for field in there}
    for file in add:
        wrong = [
            f"{field.name} is {field.type}, in the table {types.get(field.name, 'there is none')}"
            for field in delta_files.columns(path, file.name)
            if field.name not in types or not same_type(field.type, types[field.name])
        ]
        if wrong:
            raise DataError(f"{path}/{file.name} does not fit the table: {'; '.join(wrong)}")


def _properties(transaction: str | None, note: Mapping[str, Any]) -> CommitProperties:
    if transaction is None:
        return CommitProperties(custom_metadata=dict(note), max_commit_retries=0)
    return CommitProperties(
        custom_metadata={**note, delta.TRANSACTION: transaction},
        max_commit_retries=0,  # else Delta would put our change on top of one we have not seen
        app_transactions=[Transaction(app_id=transaction, version=1)],
    )


def _added(file: DataFile, at: int) -> AddAction:
    return AddAction(
        path=file.name,
        size=file.size,
        partition_values={},
        modification_time=at,
        data_change=True,
        stats=file.stats,
    )
