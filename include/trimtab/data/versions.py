"""What one version of a dataset's table holds, from the log where the log knows."""

from datetime import datetime

import polars as pl

from trimtab.adapters import delta_files
from trimtab.data import content
from trimtab.data.clashes import PATH
from trimtab.data.content import Content
from trimtab.data.writing import Table
from trimtab.environment import Environment
from trimtab.ledger import datasets


def newest(env: Environment, dataset: str, table: Table) -> datetime | None:
    """Return the latest event time; reads rows only where the log has no statistics."""
    time = env.project.dataset(dataset).time
    if time is None or time not in table.schema.names:
        return None
    found = [file.high[time] for file in table.files.values() if time in file.high]
    rest = [file for file in table.files.values() if time not in file.high]
    if rest:
        seen = table.read(rest).select(pl.col(time).max()).collect(engine="streaming").item()
        found += [seen] if seen is not None else []
    return max(found, default=None)


def content_of(env: Environment, dataset: str, table: Table) -> Content:
    """Return the content of a version: as the ledger has it, else by reading every row."""
    if table.version is None:
        return Content()
    for record in reversed(datasets.versions(env.ledger, dataset)):
        known = content.parse(record.content)
        if known and record.version <= table.version:
            if record.version == table.version:
                return known
            same = set(delta_files.files(table.path, record.version)) == set(table.files)
            if same:
                return known
            break
    return measured(table)


def measured(table: Table) -> Content:
    """Read every row of a version once and return its content."""
    rows = table.read(list(table.files.values()))
    names = [name for name in rows.collect_schema().names() if name != PATH]
    return content.of(rows, names)
