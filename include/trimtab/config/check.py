"""What no single key can tell: names across files, leaks, tasks and metrics that fit."""

from collections.abc import Iterator, Mapping

from trimtab.config import check_gate as gate
from trimtab.config import check_kpi as kpi
from trimtab.config import check_training as training
from trimtab.config import check_trust as trust
from trimtab.config.approvers import check_approve
from trimtab.config.catalog import Catalog
from trimtab.config.check_derived import check_derived
from trimtab.config.check_labels import check_labels
from trimtab.config.check_lookup import check_joins, check_names, check_uses
from trimtab.config.columns import (
    available,
    consequences,
    foreseeable,
    primary_metric,
    task_of,
)
from trimtab.config.dataset import DatasetSpec
from trimtab.config.findings import Finding, near
from trimtab.config.model import METRICS, ModelSpec
from trimtab.config.registered import NOT_ASKED, Functions, Registered


def check_model(
    model: ModelSpec, catalog: Catalog, registered: Registered = NOT_ASKED
) -> list[Finding]:
    """Return every problem of one model against the catalog and the registered names."""
    datasets = catalog.datasets
    found = [*_datasets(model, catalog), *training.names(model, registered)]
    asked = list(check_approve(model.approve, catalog.groups))
    if not found:  # columns can only be judged once every dataset is there
        found += [*check_joins(model, catalog), *check_uses(model, catalog)]
        found += [*check_names(model, catalog), *_target(model, datasets)]
        found += _watched(model, catalog)
        found += [*_derived(model, catalog, registered.features), *_features(model, catalog)]
        found += [*_named(model, catalog), *training.splits(model, catalog)]
        found += [*gate.groups(model, catalog), *trust.columns(model, catalog)]
        found += check_labels(model, catalog)
        found += kpi.queries(model, catalog)
    if not found:
        found += [*_task(model, catalog), *training.fitting(model, catalog)]
        found += [*gate.limits(model, catalog), *trust.measures(model, catalog)]
    return [*found, *asked, *trust.names(model, registered), *kpi.names(model, registered)]


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


def _target(model: ModelSpec, datasets: Mapping[str, DatasetSpec]) -> Iterator[Finding]:
    columns, name = datasets[model.data.from_].columns, model.target.column
    if name not in columns:
        yield (
            ("target", "column"),
            f"{model.data.from_} has no column {name!r}",
            near(name, columns),
        )
    elif model.target.at_least is not None and columns[name].type not in ("int", "float"):
        yield (
            ("target", "at_least"),
            f"{name} is {columns[name].type}, not a number",
            "use positive",
        )


def _derived(model: ModelSpec, catalog: Catalog, functions: Functions | None) -> Iterator[Finding]:
    derive = model.features.derive
    columns = {n: c for n, c in available(model, catalog).items() if n not in derive}
    own = catalog.datasets[model.data.from_].columns
    columns = {**columns, **own}  # a derived column of the same name hides none
    visible = {name: columns[name].type for name in foreseeable(model, catalog)}
    target, follows = model.target.column, consequences(model.target.column, own)
    hidden = {
        name: "the target itself"
        if name == target
        else "which follows from the target"
        if name in follows
        else f"known only after {column.known_after}"
        for name, column in columns.items()
        if name not in visible
    }
    yield from check_derived(("features", "derive"), derive, visible, hidden, functions)


def _features(model: ModelSpec, catalog: Catalog) -> Iterator[Finding]:
    columns, features = available(model, catalog), model.features
    follows = consequences(model.target.column, catalog.datasets[model.data.from_].columns)
    lists = {"include": features.include, "exclude": features.exclude, "trust": features.trust}
    for where, names in lists.items():
        for i, name in enumerate(names or ()):
            path = ("features", where, i)
            if name not in columns:
                yield path, f"the rows have no column {name!r}", near(name, columns)
            elif where == "include" and name == model.target.column:
                yield path, f"{name} is the target itself", "take it out of include"
            elif where == "include" and name in follows:
                yield (
                    path,
                    f"{name} leaks the target: it follows from {model.target.column}",
                    "take it out of include; at prediction time it has no value",
                )
            elif where == "include" and (event := columns[name].known_after):
                yield (
                    path,
                    f"{name} leaks the future: it is known only after {event}",
                    "take it out of include; at prediction time it has no value",
                )


def _named(model: ModelSpec, catalog: Catalog) -> Iterator[Finding]:
    """Columns that single keys name."""
    columns = available(model, catalog)
    named: list[tuple[tuple[str | int, ...], str | None]] = [
        (("gate", "slices", i), name) for i, name in enumerate(model.gate.slices)
    ]
    named += [(("monitor", "slices", i), name) for i, name in enumerate(model.monitor.slices or ())]
    named += [(("split", "group"), model.split.group), (("train", "weight"), model.train.weight)]
    for path, name in named:
        if name is None:
            continue
        if name not in columns:
            yield path, f"the rows have no column {name!r}", near(name, columns)
        elif path[0] not in ("gate", "monitor") and name == model.target.column:
            yield path, f"{name} is the target itself", "name another column"
        elif path[0] == "train" and columns[name].type not in ("int", "float"):
            yield path, f"{name} is {columns[name].type}, no weight", "name a column of numbers"


def _watched(model: ModelSpec, catalog: Catalog) -> Iterator[Finding]:
    """Columns that a signal of the monitor names."""
    columns = available(model, catalog)
    for signal, watch in model.monitor.signals.items():
        for i, name in enumerate(watch.columns or ()):
            if name not in columns:
                path = ("monitor", "signals", signal, "columns", i)
                yield path, f"the rows have no column {name!r}", near(name, columns)


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
