"""What the contract says about a model's columns: which are features, and what the task is."""

from collections.abc import Iterable, Mapping
from typing import Literal

from trimtab.config.catalog import Catalog
from trimtab.config.dataset import Column, DatasetSpec
from trimtab.config.model import METRICS, Join, ModelSpec, Task
from trimtab.config.view import Derived, FeatureView, ViewUse


def joined_name(join: Join, column: str) -> str:
    """Name of a joined dataset's column in the model's rows: always with the dataset in front."""
    return f"{join.dataset}_{column}"


def joined_columns(join: Join, dataset: DatasetSpec) -> dict[str, Column]:
    """Columns a join brings, by their own names: all but its keys and time unless listed."""
    keys = {*join.pairs.values(), *dataset.key, *([dataset.time] if dataset.time else [])}
    names = (
        join.columns if join.columns is not None else [c for c in dataset.columns if c not in keys]
    )
    return {name: dataset.columns[name] for name in names if name in dataset.columns}


def view_columns(view: FeatureView, dataset: DatasetSpec) -> dict[str, Column]:
    """Columns of a feature view by name: those of its dataset, then the derived ones."""
    times = {view.time or dataset.time, view.known}
    names = view.columns
    if names is None:
        out = {*view.entity, *dataset.key, *times}
        names = tuple(
            name
            for name, column in dataset.columns.items()
            if name not in out and (view.known or column.known_after is None)
        )
    own = {name: dataset.columns[name] for name in names if name in dataset.columns}
    return {**own, **derived_columns(view.derive)}


def derived_columns(derive: Mapping[str, Derived]) -> dict[str, Column]:
    """What a contract would say of derived columns; any of them may be missing."""
    return {
        name: Column(type=made.type, nullable=True, unit=made.unit, description=made.description)
        for name, made in derive.items()
    }


def used_columns(use: ViewUse, catalog: Catalog) -> dict[str, Column]:
    """Columns a model takes of a view, by the view's names.

    A view with ``known`` shows a value only once it is known, so that none is ``known_after``.
    """
    view = catalog.views[use.view]
    columns = view_columns(view, catalog.datasets[view.from_])
    if view.known:
        columns = {n: c.model_copy(update={"known_after": None}) for n, c in columns.items()}
    names: Iterable[str] = columns if use.columns is None else use.columns
    return {name: columns[name] for name in names if name in columns}


def used_name(use: ViewUse, column: str) -> str:
    """Name of a view's column in the model's rows: always with the view in front."""
    return f"{use.view}_{column}"


def available(model: ModelSpec, catalog: Catalog) -> dict[str, Column]:
    """Every column the model's rows have: own, joined, of views, derived."""
    columns = dict(catalog.datasets[model.data.from_].columns)
    for join in model.data.join:
        for name, column in joined_columns(join, catalog.datasets[join.dataset]).items():
            columns[joined_name(join, name)] = column
    for use in model.data.views:
        for name, column in used_columns(use, catalog).items():
            columns[used_name(use, name)] = column
    return {**columns, **derived_columns(model.features.derive)}


def as_of(use: ViewUse, model: ModelSpec, catalog: Catalog) -> str | None:
    """Column with the moment a view is looked at: as the model says, else its dataset's time."""
    return use.as_of or catalog.datasets[model.data.from_].time


def pairs(use: ViewUse, view: FeatureView) -> dict[str, str]:
    """Our column name to the view's entity column, in the order of the entity."""
    if use.on is None:
        return {name: name for name in view.entity}
    return dict(sorted(use.on.items(), key=lambda pair: (*view.entity, pair[1]).index(pair[1])))


def foreseeable(model: ModelSpec, catalog: Catalog) -> list[str]:
    """Columns that are known at prediction time: what a derived column of the model may read."""
    columns, target = available(model, catalog), model.target.column
    out = {target, *consequences(target, catalog.datasets[model.data.from_].columns)}
    known = [name for name, column in columns.items() if column.known_after is None]
    return [name for name in known if name not in {*out, *model.features.derive}]


def consequences(target: str, columns: Mapping[str, Column]) -> set[str]:
    """Columns that follow from the target, directly or by way of others."""
    found = {target}
    while more := {
        name
        for name, column in columns.items()
        if name not in found and not found.isdisjoint(column.consequence_of)
    }:
        found |= more
    return found - {target}


def feature_columns(model: ModelSpec, catalog: Catalog) -> dict[str, Column]:
    """The model's features in order.

    By default every column known at prediction time except the target and what follows from it,
    the weights, free text, a single-column key (an identifier), and the group of a split by group
    (no group is ever met again). ``include`` replaces the default, ``exclude`` takes away.
    """
    columns = available(model, catalog)
    dataset = catalog.datasets[model.data.from_]
    identifiers = {dataset.key[0]} if len(dataset.key) == 1 else set()
    if model.split.group and split_by(model, catalog) == "group":
        identifiers.add(model.split.group)
    if model.features.include is not None:
        names = [name for name in model.features.include if name in columns]
    else:
        names = [
            name
            for name, column in columns.items()
            if column.known_after is None and column.type != "text" and name not in identifiers
        ]
    out = {*model.features.exclude, model.target.column, model.train.weight}
    out |= consequences(model.target.column, dataset.columns)
    return {name: columns[name] for name in names if name not in out}


def split_by(model: ModelSpec, catalog: Catalog) -> Literal["time", "group", "random"]:
    """How rows are split: as the model file says, else as its keys and its dataset suggest."""
    if model.split.by:
        return model.split.by
    if model.split.group:
        return "group"
    return "time" if catalog.datasets[model.data.from_].time else "random"


def task_of(model: ModelSpec, catalog: Catalog) -> Task:
    """The learning task: as the model file says, else from the target's column."""
    if model.task:
        return model.task
    if model.target.at_least is not None or model.target.positive is not None:
        return "binary"
    kind = catalog.datasets[model.data.from_].columns[model.target.column].type
    if kind == "bool":
        return "binary"
    return "regression" if kind in ("int", "float") else "multiclass"


def primary_metric(model: ModelSpec, task: Task) -> str:
    """The metric that decides: as the model file says, else the task's first."""
    return model.gate.primary or METRICS[task][0]
