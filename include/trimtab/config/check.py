"""What no single key can tell: names across files, leaks, tasks and metrics that fit."""

from collections.abc import Collection, Iterator, Mapping

from trimtab.config import check_training as training
from trimtab.config.catalog import Catalog
from trimtab.config.check_training import Finding as Finding
from trimtab.config.columns import available, primary_metric, task_of
from trimtab.config.dataset import DatasetSpec
from trimtab.config.model import METRICS, ModelSpec
from trimtab.config.view import FeatureView


def check_view(view: FeatureView, datasets: Mapping[str, DatasetSpec]) -> list[Finding]:
    """Return every problem of one feature view against the datasets."""
    if view.from_ not in datasets:
        fix = f"known are {sorted(datasets)}; correct the name, or the dataset's own file first"
        return [(("from",), f"there is no usable dataset {view.from_!r}", fix)]
    return []


def check_model(
    model: ModelSpec,
    catalog: Catalog,
    estimators: Collection[str] | None,
    functions: Collection[str] | None = None,
) -> list[Finding]:
    """Return every problem of one model against the catalog and the registered names."""
    datasets = catalog.datasets
    found = [*_datasets(model, catalog), *training.names(model, estimators, functions)]
    if not found:  # columns can only be judged once every dataset is there
        found += [*_joins(model, datasets), *_target(model, datasets)]
        found += [*_features(model, catalog), *_slices(model, catalog)]
    if not found:
        found += [*_task(model, catalog), *training.fitting(model, catalog)]
    return found


def _datasets(model: ModelSpec, catalog: Catalog) -> Iterator[Finding]:
    datasets = catalog.datasets
    fix = f"known are {sorted(datasets)}; correct the name, or the dataset's own file first"
    if model.data.from_ not in datasets:
        yield ("data", "from"), f"there is no usable dataset {model.data.from_!r}", fix
    for i, join in enumerate(model.data.join):
        if join.dataset not in datasets:
            yield (
                ("data", "join", i, "dataset"),
                f"there is no usable dataset {join.dataset!r}",
                fix,
            )
    for i, use in enumerate(model.data.views):
        if use.view not in catalog.views:
            yield (
                ("data", "views", i, "view"),
                f"there is no usable feature view {use.view!r}",
                f"known are {sorted(catalog.views)}; correct the name, or the view's own file",
            )


def _joins(model: ModelSpec, datasets: Mapping[str, DatasetSpec]) -> Iterator[Finding]:
    ours = datasets[model.data.from_]
    for i, join in enumerate(model.data.join):
        theirs, path = datasets[join.dataset], ("data", "join", i)
        for left, right in join.pairs.items():
            if left not in ours.columns:
                yield (
                    (*path, "on"),
                    f"{ours.dataset} has no column {left!r}",
                    _near(left, ours.columns),
                )
            if right not in theirs.columns:
                fix = _near(right, theirs.columns)
                yield (*path, "on"), f"{theirs.dataset} has no column {right!r}", fix
        for name in join.columns or ():
            if name not in theirs.columns:
                fix = _near(name, theirs.columns)
                yield (*path, "columns"), f"{theirs.dataset} has no column {name!r}", fix
        if join.as_of and (
            join.as_of not in ours.columns or ours.columns[join.as_of].type != "time"
        ):
            yield (
                (*path, "as_of"),
                f"{join.as_of!r} is no time column of {ours.dataset}",
                "name one",
            )
        if join.as_of and theirs.time is None:
            yield (
                (*path, "as_of"),
                f"{theirs.dataset} has no time column to be joined by",
                f"set 'time' in the file of {theirs.dataset}, or drop as_of",
            )


def _target(model: ModelSpec, datasets: Mapping[str, DatasetSpec]) -> Iterator[Finding]:
    columns, name = datasets[model.data.from_].columns, model.target.column
    if name not in columns:
        yield (
            ("target", "column"),
            f"{model.data.from_} has no column {name!r}",
            _near(name, columns),
        )
    elif model.target.at_least is not None and columns[name].type not in ("int", "float"):
        yield (
            ("target", "at_least"),
            f"{name} is {columns[name].type}, not a number",
            "use positive",
        )


def _features(model: ModelSpec, catalog: Catalog) -> Iterator[Finding]:
    columns = available(model, catalog)
    for where, names in (("include", model.features.include), ("exclude", model.features.exclude)):
        for i, name in enumerate(names or ()):
            path = ("features", where, i)
            if name not in columns:
                yield path, f"the rows have no column {name!r}", _near(name, columns)
            elif where == "include" and name == model.target.column:
                yield path, f"{name} is the target itself", "take it out of include"
            elif where == "include" and (event := columns[name].known_after):
                yield (
                    path,
                    f"{name} leaks the future: it is known only after {event}",
                    "take it out of include; at prediction time it has no value",
                )


def _slices(model: ModelSpec, catalog: Catalog) -> Iterator[Finding]:
    columns = available(model, catalog)
    for i, name in enumerate(model.gate.slices):
        if name not in columns:
            yield ("gate", "slices", i), f"the rows have no column {name!r}", _near(name, columns)


def _task(model: ModelSpec, catalog: Catalog) -> Iterator[Finding]:
    task = task_of(model, catalog)
    metric = primary_metric(model, task)
    if metric not in METRICS[task]:
        yield (
            ("gate", "primary"),
            f"{metric} is no metric of a {task} model",
            f"choose from {list(METRICS[task])}",
        )
    column = catalog.datasets[model.data.from_].columns[model.target.column]
    if model.target.positive is None and task == "binary" and column.type in ("text", "category"):
        yield ("target",), f"{model.target.column} is text", "name the positive value: positive: …"


def _near(name: str, columns: Collection[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, list(columns), n=3)
    return f"did you mean {' or '.join(close)}?" if close else f"known are {sorted(columns)}"
