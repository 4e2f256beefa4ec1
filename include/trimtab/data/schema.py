"""Whether a table's columns can follow its contract, and how."""

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from trimtab.adapters.delta_commit import same_type
from trimtab.config import DatasetSpec
from trimtab.errors import DataError
from trimtab.types import SYSTEM_COLUMNS

# What a stored type may become, when every value survives.
_WIDER = {("int64", "double")}


@dataclass(frozen=True)
class Change:
    """Columns a table has to get before a file fits it."""

    added: pa.Schema
    changed: tuple[str, ...] = ()  # columns whose stored values have to be rewritten
    by_file: tuple[str, ...] = ()  # those of ``added`` that no contract names

    def __bool__(self) -> bool:
        return bool(len(self.added) or self.changed)


def compare(
    there: pa.Schema, file: pa.Schema, spec: DatasetSpec, *, extra: Iterable[str] = ()
) -> Change:
    """Say what the table needs to take the file.

    Args:
        there: the table's columns.
        file: the columns of the file's accepted rows, typed by the contract.
        spec: the contract.
        extra: columns earlier files have brought that the contract does not name.

    Raises:
        DataError: names every column that cannot follow, and what to do.
    """
    new = [field for field in file if field.name not in there.names]
    known = {*spec.columns, *SYSTEM_COLUMNS, *extra, *file.names}
    problems = [_no_values(spec, field.name) for field in new if _required(spec, field.name)]
    problems += [_dropped(name) for name in there.names if name not in known]
    changed = []
    for field in file:
        before = there.field(field.name).type if field.name in there.names else field.type
        if same_type(before, field.type):
            continue
        if (str(before), str(field.type)) in _WIDER:
            changed.append(field.name)
        else:
            problems.append(_other_type(field.name, before, field.type))
    if problems:
        raise DataError(
            f"{spec.dataset}: the table cannot follow the contract: {'; '.join(problems)}"
        )
    by_file = tuple(field.name for field in new if field.name not in spec.columns)
    return Change(pa.schema(new), tuple(changed), by_file)


def _required(spec: DatasetSpec, name: str) -> bool:
    return name in spec.columns and not spec.columns[name].nullable


def _no_values(spec: DatasetSpec, name: str) -> str:
    return (
        f"column {name} is new and may not be empty, but the rows that are there have no {name}; "
        f"say nullable: true in {spec.dataset}.yaml"
    )


def _dropped(name: str) -> str:
    return (
        f"the table has a column {name} and the contract no longer; put it back "
        "(nullable: true if new rows have none), or begin a new dataset"
    )


def _other_type(name: str, before: pa.DataType, after: pa.DataType) -> str:
    return (
        f"column {name} is {before} in the table and {after} by the contract; give it its old "
        f"type back, or add a new column beside it"
    )
