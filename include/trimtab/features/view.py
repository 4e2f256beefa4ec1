"""The rows of a model: its own dataset with the others joined to it."""

from collections.abc import Collection, Mapping, Sequence

import polars as pl

from trimtab.config import DatasetSpec, ModelSpec
from trimtab.config.columns import feature_columns, joined_columns, joined_name
from trimtab.config.dataset import Column
from trimtab.config.model import Join
from trimtab.environment import Environment
from trimtab.errors import DataError
from trimtab.features import join as joins
from trimtab.features.sources import Source, open_all
from trimtab.types import FILE, PARTITION, ROW

NUMERIC = ("int", "float", "bool")


def columns_by_kind(columns: Mapping[str, Column]) -> dict[str, tuple[str, ...]]:
    """Sort feature columns into numeric, categorical and temporal."""
    kinds: dict[str, list[str]] = {"numeric": [], "categorical": [], "temporal": []}
    for name, column in columns.items():
        if column.type in NUMERIC:
            kinds["numeric"].append(name)
        else:
            kinds["temporal" if column.type == "time" else "categorical"].append(name)
    return {kind: tuple(names) for kind, names in kinds.items()}


def carried(dataset: DatasetSpec) -> list[str]:
    """Columns that identify a row: key, time, and where it came from."""
    time = [dataset.time] if dataset.time else []
    return list(dict.fromkeys([*dataset.key, *time, FILE, ROW, PARTITION]))


def needed(spec: ModelSpec, datasets: Mapping[str, DatasetSpec]) -> list[str]:
    """Columns of a feature file beside target and role: identity, features, slices of the gate."""
    ours = carried(datasets[spec.data.from_])
    return list(dict.fromkeys([*ours, *feature_columns(spec, datasets), *spec.gate.slices]))


def joined(
    rows: pl.LazyFrame,
    spec: ModelSpec,
    datasets: Mapping[str, DatasetSpec],
    tables: Mapping[str, pl.LazyFrame],
    *,
    only: Collection[Join] | None = None,
) -> pl.LazyFrame:
    """Add what every join of the model (or of ``only``) brings; rows and order stay."""
    for join in spec.data.join if only is None else only:
        theirs = datasets[join.dataset]
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
    spec, datasets = env.project.model(model), env.project.datasets
    main = dataset or spec.data.from_
    sources = sources or open_all(env, spec, main)
    rows = sources[main].table.filter(pl.col(FILE).is_in(list(files)))
    expected = int(rows.select(pl.len()).collect().item())
    tables = {name: source.table for name, source in sources.items()}
    names = [*carried(datasets[main]), *feature_columns(spec, datasets), *extra]
    plan = joined(rows.sort(joins.ORDER, ROW), spec, datasets, tables)
    return collect(plan.select(list(dict.fromkeys(names))), expected, model)
