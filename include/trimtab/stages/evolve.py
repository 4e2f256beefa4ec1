"""Let a table's columns follow its contract, or a file that brings more; each decision recorded."""

import logging
import tempfile
from pathlib import Path

import polars as pl
import pyarrow as pa

from trimtab.adapters import delta, delta_commit, delta_files
from trimtab.adapters.delta_files import DataFile
from trimtab.data import schema, staging, writing
from trimtab.data.schema import Change
from trimtab.environment import Environment
from trimtab.errors import DataError
from trimtab.ledger.chain import digest
from trimtab.types import SYSTEM_COLUMNS, FileVerdict, SchemaChange

log = logging.getLogger(__name__)
KIND = "schema_change"


def evolve(env: Environment, file: FileVerdict, staged: str) -> tuple[str, ...]:
    """Give the table what it needs to take the file; return the columns that were added.

    The decision is recorded first; the change is a commit of its own before the file's, and
    whoever reads in between sees empty columns. The caller holds the dataset's publication.

    Raises:
        DataError: names every column that cannot follow, and what to do.
    """
    dataset, path = file.dataset, env.table(file.dataset)
    spec = env.project.dataset(dataset)
    columns = delta_files.columns(path, writing.name_of(dataset, staged))
    if not delta.exists(path):
        extra = [f for f in columns if f.name not in {*spec.columns, *SYSTEM_COLUMNS}]
        if extra:
            _record(env, file, Change(pa.schema(extra), by_file=tuple(f.name for f in extra)))
        return tuple(field.name for field in extra)
    base = delta.version(path)
    before = delta.schema(path, base)
    change = schema.compare(before, columns, spec, extra=_extra(env, dataset))
    if not change:
        return evolved(env, file)
    note = {"write": KIND, "name": file.name, "sha256": file.sha256}
    if change.changed:
        _rewrite(env, file, change, columns, note)
    else:
        _record(env, file, change, base)
    if len(change.added):
        delta_commit.add_columns(path, change.added, note)
    return tuple(change.added.names)


def _record(
    env: Environment,
    file: FileVerdict,
    change: Change,
    base: int | None = None,
    changed: dict[str, tuple[str, str]] | None = None,
) -> None:
    record = SchemaChange(
        dataset=file.dataset,
        base=base,
        added={field.name: str(field.type) for field in change.added},
        changed=changed or {},
        policy="add_columns" if change.by_file else "contract",
        sha256=file.sha256,
        name=file.name,
    )
    key = digest([file.sha256, record.added, record.changed])
    env.ledger.append(KIND, file.dataset, key, record.to_json())
    log.info("%s: columns %s added, %s changed", file.dataset, record.added, record.changed)


def evolved(env: Environment, file: FileVerdict) -> tuple[str, ...]:
    """Return the columns an earlier attempt to publish this file has added."""
    changes = [
        SchemaChange.model_validate(e.payload) for e in env.ledger.events(KIND, file.dataset)
    ]
    return tuple(name for c in changes if c.sha256 == file.sha256 for name in c.added)


def _extra(env: Environment, dataset: str) -> list[str]:
    """Columns that files have brought and no contract named."""
    changes = [SchemaChange.model_validate(e.payload) for e in env.ledger.events(KIND, dataset)]
    return [name for c in changes if c.policy == "add_columns" for name in c.added]


def _rewrite(
    env: Environment, file: FileVerdict, change: Change, columns: pa.Schema, note: dict[str, str]
) -> None:
    """Write every file of the table anew; refuse values that would not survive."""
    path = env.table(file.dataset)
    base = delta.version(path)
    table = writing.at(path, base, columns)
    types = {name: columns.field(name).type for name in change.changed}
    fields = [pa.field(f.name, types[f.name]) if f.name in types else f for f in table.schema]
    files = [_cast(env, file, table, each, change.changed) for each in table.files.values()]
    told = {name: (str(table.schema.field(name).type), str(kind)) for name, kind in types.items()}
    _record(env, file, change, base, told)
    delta_commit.rebuild(
        path,
        files=files,
        schema=pa.schema(fields),
        transaction=digest([file.dataset, KIND, base, told]),
        note=note,
        at=_milliseconds(env),
        base=base,
    )


def _cast(
    env: Environment,
    file: FileVerdict,
    table: writing.Table,
    each: DataFile,
    names: tuple[str, ...],
) -> DataFile:
    rows = table.read([each]).drop(delta_files.PATH)
    wider = [pl.col(name).cast(pl.Float64) for name in names]
    lost = [(pl.col(n).cast(pl.Float64).cast(pl.Int64) != pl.col(n)).sum().alias(n) for n in names]
    counts = rows.select(lost).collect(engine="streaming").row(0, named=True)
    if bad := {name: count for name, count in counts.items() if count}:
        raise DataError(
            f"{file.dataset}: the table cannot follow the contract: stored whole numbers are too "
            f"large for float ({bad} values by column); keep the type int"
        )
    with tempfile.TemporaryDirectory() as folder:
        aside = Path(folder) / "rows.parquet"
        rows.with_columns(wider).sink_parquet(aside)
        owner = each.name.split("-", 1)[0]
        key = staging.put_rows(env, file.dataset, owner, aside)
    return delta_files.described(table.path, writing.name_of(file.dataset, key))


def _milliseconds(env: Environment) -> int:
    return int(env.clock.now().timestamp() * 1000)
