"""The rows of a model: its own dataset with joins, feature views and derived columns."""

import time
from collections.abc import Collection, Mapping, Sequence

import polars as pl

from trimtab.config import DatasetSpec, ModelSpec
from trimtab.config.catalog import Catalog
from trimtab.config.columns import feature_columns
from trimtab.config.dataset import Column, ColumnType
from trimtab.environment import Environment
from trimtab.errors import DataError
from trimtab.features.join import ORDER
from trimtab.features.sources import Source, open_all
from trimtab.features.steps import steps
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

    Identity, features, what the gate looks at, the group of the split, the weight.
    """
    ours = carried(catalog.datasets[spec.data.from_])
    extra = [name for name in (spec.split.group, spec.train.weight) if name]
    features = feature_columns(spec, catalog)
    return list(dict.fromkeys([*ours, *features, *looked_at(spec), *extra]))


def looked_at(spec: ModelSpec) -> list[str]:
    """Columns that gate and monitor look at, be they features or not: slices and groups."""
    group, fairness = spec.gate.versus_champion.group, spec.gate.fairness
    protected = fairness.columns if fairness else ()
    slices = dict.fromkeys((*spec.gate.slices, *(spec.monitor.slices or ())))
    return [*slices, *protected, *([group] if group else [])]


def joined(
    rows: pl.LazyFrame,
    spec: ModelSpec,
    catalog: Catalog,
    tables: Mapping[str, pl.LazyFrame],
    wanted: Collection[str],
    *,
    given: Collection[str] = (),
    seconds: dict[str, float] | None = None,
) -> pl.DataFrame:
    """Return the columns ``wanted`` of the rows, joined, viewed and derived; same rows and order.

    Args:
        rows: of the model's dataset; only columns that are needed are read.
        spec: the model.
        catalog: its datasets and views.
        tables: of every dataset that is joined or viewed.
        wanted: names of the model's rows, and any further column of ``rows``.
        given: joined, viewed and derived columns that ``rows`` has already.
        seconds: is given what each brought column took, by name: the time of its join, view or
            expression as a whole.

    Raises:
        DataError: a column is brought under a name that the rows have already.
    """
    todo = steps(spec, catalog, wanted, given)
    there = rows.collect_schema().names()
    read = {*wanted, *(name for step in todo for name in step.reads)}
    frame = rows.select(name for name in there if name in read).collect()
    for step in todo:
        if taken := sorted({*step.brings} & {*there}):
            raise DataError(f"{step.name}: the rows have {taken} already; rename them")
        began = time.perf_counter()
        frame = frame.hstack(step.bring(frame, tables))
        if seconds is not None:
            seconds |= dict.fromkeys(step.brings, time.perf_counter() - began)
    return frame.select(list(dict.fromkeys(wanted)))


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
    tables = {name: source.table for name, source in sources.items()}
    names = [*carried(catalog.datasets[main]), *feature_columns(spec, catalog), *extra]
    return joined(rows.sort(ORDER, ROW), spec, catalog, tables, names)
