"""The rows of a model: its own dataset with the others joined to it."""

from collections.abc import Collection, Mapping, Sequence

import polars as pl

from trimtab.config import DatasetSpec, ModelSpec
from trimtab.config.catalog import Catalog
from trimtab.config.columns import feature_columns, joined_columns, joined_name
from trimtab.config.dataset import Column, ColumnType
from trimtab.config.model import Join
from trimtab.environment import Environment
from trimtab.errors import DataError
from trimtab.features import join as joins
from trimtab.features.sources import Source, open_all
from trimtab.types import FILE, PARTITION, ROW

_KINDS: dict[ColumnType, str] = {
    "int": "numeric",
    "float": "numeric",
    "bool": "numeric",
    "category": "categorical",
    "time": "temporal",
    "text": "textual",
}


def columns_by_kind(columns: Mapping[str, Column]) -> dict[str, tuple[str, ...]]:
    """Sort feature columns into numeric, categorical, temporal and textual."""
    kinds: dict[str, list[str]] = {kind: [] for kind in dict.fromkeys(_KINDS.values())}
    for name, column in columns.items():
        kinds[_KINDS[column.type]].append(name)
    return {kind: tuple(names) for kind, names in kinds.items()}


def carried(dataset: DatasetSpec) -> list[str]:
    """Columns that identify a row: key, time, and where it came from."""
    time = [dataset.time] if dataset.time else []
    return list(dict.fromkeys([*dataset.key, *time, FILE, ROW, PARTITION]))


def needed(spec: ModelSpec, catalog: Catalog) -> list[str]:
    """Columns of a feature file beside target and role.

    Identity, features, slices of the gate, the group of the split, the weight.
    """
    ours = carried(catalog.datasets[spec.data.from_])
    extra = [name for name in (spec.split.group, spec.train.weight) if name]
    features = feature_columns(spec, catalog)
    return list(dict.fromkeys([*ours, *features, *spec.gate.slices, *extra]))


def joined(
    rows: pl.LazyFrame,
    spec: ModelSpec,
    catalog: Catalog,
    tables: Mapping[str, pl.LazyFrame],
    *,
    only: Collection[Join] | None = None,
) -> pl.LazyFrame:
    """Add what every join of the model (or of ``only``) brings; rows and order stay."""
    for join in spec.data.join if only is None else only:
        theirs = catalog.datasets[join.dataset]
        columns = {name: joined_name(join, name) for name in joined_columns(join, theirs)}
        rows = joins.add(rows, join, tables[join.dataset], columns, time=theirs.time)
    return rows


def collect(rows: pl.LazyFrame, expected: int, model: str) -> pl.DataFrame:
    """Run the plan; a join that lost or doubled rows is an error, never a smaller table.

    Raises:
        DataError: the number of rows changed.
    """
    frame = rows.collect()
    if frame.height != expected:
        raise DataError(f"{model}: {expected} rows became {frame.height} in the joins")
    return frame


def rows_of_files(
    env: Environment,
    model: str,
    files: Sequence[str],
    *,
    dataset: str | None = None,
    sources: Mapping[str, Source] | None = None,
    extra: Sequence[str] = (),
) -> pl.DataFrame:
    """Build the feature rows of published files (by content hash), without a label.

    Every row of the files is there, in the order of file and position. ``extra`` names further
    columns of the dataset to keep, such as the target's. ``dataset`` is the one the files belong
    to, the model's own by default.

    Raises:
        NotReadyError: a dataset was not published yet.
    """
    spec, catalog = env.project.model(model), env.project.catalog
    main = dataset or spec.data.from_
    sources = sources or open_all(env, spec, main)
    rows = sources[main].table.filter(pl.col(FILE).is_in(list(files)))
    expected = int(rows.select(pl.len()).collect().item())
    tables = {name: source.table for name, source in sources.items()}
    names = [*carried(catalog.datasets[main]), *feature_columns(spec, catalog), *extra]
    plan = joined(rows.sort(joins.ORDER, ROW), spec, catalog, tables)
    return collect(plan.select(list(dict.fromkeys(names))), expected, model)
