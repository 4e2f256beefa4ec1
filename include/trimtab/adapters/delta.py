"""Delta tables: scan a version, append exactly once, replace a slice."""

import polars as pl
import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

from trimtab.errors import DataError

_TRANSACTION = "transaction"


def exists(path: str) -> bool:
    """Whether ``path`` is a Delta table."""
    return DeltaTable.is_deltatable(path)


def scan(path: str, version: int | None = None) -> pl.LazyFrame:
    """Read one version lazily (time travel costs nothing that way)."""
    return pl.scan_delta(path, version=version)


def version(path: str) -> int:
    """Return the newest version number."""
    return int(DeltaTable(path).version())


def append_once(path: str, rows: pa.Table, transaction: str, note: dict[str, str]) -> int:
    """Append ``rows`` unless ``transaction`` was committed before; return the version it made.

    Delta records an application transaction but does not enforce it, and casts silently on
    append; both are checked here. The caller holds the table's lock.

    Raises:
        DataError: the columns differ from the table's.
    """
    properties = CommitProperties(
        custom_metadata={**note, _TRANSACTION: transaction},
        app_transactions=[Transaction(app_id=transaction, version=1)],
    )
    if (before := committed(path, transaction)) is not None:
        return before
    if exists(path):
        table = DeltaTable(path)
        there = pa.schema(table.schema().to_arrow())
        if not _same_columns(there, rows.schema):
            raise DataError(f"{path}: rows have {rows.schema}, the table {there}")
    write_deltalake(path, rows, mode="append", commit_properties=properties)
    return version(path)


def committed(path: str, transaction: str) -> int | None:
    """Return the version that ``transaction`` made, or None when it was never committed."""
    if not exists(path):
        return None
    table = DeltaTable(path)
    if table.transaction_version(transaction) is None:
        return None
    made = [c["version"] for c in table.history() if c.get(_TRANSACTION) == transaction]
    return int(made[0] if made else table.version())  # the log's oldest entries may be cleaned up


def replace_where(path: str, rows: pa.Table, predicate: str, note: dict[str, str]) -> int:
    """Replace the rows that match ``predicate``: writing twice leaves the same table."""
    properties = CommitProperties(custom_metadata=note)
    if exists(path):
        write_deltalake(
            path, rows, mode="overwrite", predicate=predicate, commit_properties=properties
        )
    else:
        write_deltalake(path, rows, mode="append", commit_properties=properties)
    return version(path)


def _same_columns(left: pa.Schema, right: pa.Schema) -> bool:
    def plain(kind: pa.DataType) -> str:
        return str(kind).replace("large_", "").replace("_view", "")

    return {f.name: plain(f.type) for f in left} == {f.name: plain(f.type) for f in right}
