"""What the contract says about a model's columns: which are features, and what the task is."""

from collections.abc import Mapping

from trimtab.config.dataset import Column, DatasetSpec
from trimtab.config.model import METRICS, Join, ModelSpec, Task


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


def available(model: ModelSpec, datasets: Mapping[str, DatasetSpec]) -> dict[str, Column]:
    """Every column the model's rows have, own and joined."""
    columns = dict(datasets[model.data.from_].columns)
    for join in model.data.join:
        for name, column in joined_columns(join, datasets[join.dataset]).items():
            columns[joined_name(join, name)] = column
    return columns


def feature_columns(model: ModelSpec, datasets: Mapping[str, DatasetSpec]) -> dict[str, Column]:
    """The model's features in order.

    By default every column known at prediction time except the target, free text, and a
    single-column key (an identifier). ``include`` replaces the default, ``exclude`` takes away.
    """
    columns = available(model, datasets)
    key = datasets[model.data.from_].key
    identifier = key[0] if len(key) == 1 else None
    if model.features.include is not None:
        names = [name for name in model.features.include if name in columns]
    else:
        names = [
            name
            for name, column in columns.items()
            if column.known_after is None and column.type != "text" and name != identifier
        ]
    out = {*model.features.exclude, model.target.column}
    return {name: columns[name] for name in names if name not in out}


def task_of(model: ModelSpec, datasets: Mapping[str, DatasetSpec]) -> Task:
    """The learning task: as the model file says, else from the target's column."""
    if model.task:
        return model.task
    if model.target.at_least is not None or model.target.positive is not None:
        return "binary"
    kind = datasets[model.data.from_].columns[model.target.column].type
    if kind == "bool":
        return "binary"
    return "regression" if kind in ("int", "float") else "multiclass"


def primary_metric(model: ModelSpec, task: Task) -> str:
    """The metric that decides: as the model file says, else the task's first."""
    return model.gate.primary or METRICS[task][0]
