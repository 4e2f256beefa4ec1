"""What is wrong with a model's joins and feature views: keys, times, leaks, names that clash."""

from collections import Counter
from collections.abc import Iterable, Iterator

from trimtab.config.catalog import Catalog
from trimtab.config.columns import (
    as_of,
    consequences,
    joined_columns,
    joined_name,
    pairs,
    used_columns,
    used_name,
    view_columns,
)
from trimtab.config.dataset import ColumnType, DatasetSpec
from trimtab.config.findings import Finding, near
from trimtab.config.model import ModelSpec
from trimtab.config.view import ViewUse

_Path = tuple[str | int, ...]
_NAMES: dict[ColumnType, str] = {"text": "text", "category": "text"}  # compare alike


def check_joins(model: ModelSpec, catalog: Catalog) -> Iterator[Finding]:
    """Yield every problem of the joins."""
    ours = catalog.datasets[model.data.from_]
    for i, join in enumerate(model.data.join):
        theirs, path = catalog.datasets[join.dataset], ("data", "join", i)
        yield from _keys((*path, "on"), join.pairs, ours, theirs)
        for name in join.columns or ():
            if name not in theirs.columns:
                fix = near(name, theirs.columns)
                yield (*path, "columns"), f"{theirs.dataset} has no column {name!r}", fix
        if join.as_of:
            yield from _moment((*path, "as_of"), join.as_of, ours)
        if join.as_of and theirs.time is None:
            yield (
                (*path, "as_of"),
                f"{theirs.dataset} has no time column to be joined by",
                f"set 'time' in the file of {theirs.dataset}, or drop as_of",
            )
        if join.dataset == ours.dataset:
            yield from _own(
                path, f"join of {join.dataset}", model, joined_columns(join, theirs), ours
            )


def check_uses(model: ModelSpec, catalog: Catalog) -> Iterator[Finding]:
    """Yield every problem of how the model uses its feature views."""
    ours = catalog.datasets[model.data.from_]
    for i, use in enumerate(model.data.views):
        view, path = catalog.views[use.view], ("data", "views", i)
        theirs = catalog.datasets[view.from_]
        yield from _entity(path, use, ours, catalog)
        moment = as_of(use, model, catalog)
        if moment is None:
            fix = "name one of its time columns with as_of"
            yield (*path, "as_of"), f"{ours.dataset} has no event time to look at {use.view}", fix
        else:
            yield from _moment((*path, "as_of"), moment, ours)
        columns = view_columns(view, theirs)
        for k, name in enumerate(use.columns or ()):
            if name not in columns:
                yield (
                    (*path, "columns", k),
                    f"{use.view} has no column {name!r}",
                    near(name, columns),
                )
        if view.from_ == ours.dataset and not view.known:
            where = f"feature view {use.view}"
            yield from _own(path, where, model, used_columns(use, catalog), ours)


def check_names(model: ModelSpec, catalog: Catalog) -> Iterator[Finding]:
    """Yield every name that two columns of the model's rows would have."""
    own = catalog.datasets[model.data.from_].columns
    brought: list[tuple[_Path, str]] = []
    for i, join in enumerate(model.data.join):
        columns = joined_columns(join, catalog.datasets[join.dataset])
        brought += [(("data", "join", i), joined_name(join, name)) for name in columns]
    for i, use in enumerate(model.data.views):
        names = used_columns(use, catalog)
        brought += [(("data", "views", i), used_name(use, name)) for name in names]
    seen = Counter(own)
    for path, name in brought:
        if seen[name]:
            yield path, f"the rows have a column {name!r} already", "leave it out with 'columns'"
        seen[name] += 1


def _entity(path: _Path, use: ViewUse, ours: DatasetSpec, catalog: Catalog) -> Iterator[Finding]:
    view = catalog.views[use.view]
    if use.on is not None and sorted(use.on.values()) != sorted(view.entity):
        yield (
            (*path, "on"),
            f"on names {sorted(use.on.values())}; {use.view} is of {sorted(view.entity)}",
            "give each of its columns once: {our column: entity column}",
        )
    elif use.on is None and (missing := [n for n in view.entity if n not in ours.columns]):
        yield (
            (*path, "on"),
            f"{ours.dataset} has no column {missing[0]!r}, which {use.view} is looked up by",
            f"say which of ours it is: on: {{our column: {missing[0]}}}",
        )
    else:
        yield from _keys((*path, "on"), pairs(use, view), ours, catalog.datasets[view.from_])


def _keys(
    path: _Path, pairs: dict[str, str], ours: DatasetSpec, theirs: DatasetSpec
) -> Iterator[Finding]:
    for left, right in pairs.items():
        mine, other = ours.columns.get(left), theirs.columns.get(right)
        if mine is None:
            yield path, f"{ours.dataset} has no column {left!r}", near(left, ours.columns)
        elif mine.known_after:
            yield (
                path,
                f"{left} leaks the future: it is known only after {mine.known_after}",
                "look up by columns that are known at prediction time",
            )
        if other is None:
            yield path, f"{theirs.dataset} has no column {right!r}", near(right, theirs.columns)
        elif mine and _NAMES.get(mine.type, mine.type) != _NAMES.get(other.type, other.type):
            yield (
                path,
                f"{left} is {mine.type} in {ours.dataset}, {right} is {other.type} in "
                f"{theirs.dataset}",
                "only columns of one type are equal; correct one of the contracts",
            )


def _moment(path: _Path, name: str, ours: DatasetSpec) -> Iterator[Finding]:
    column = ours.columns.get(name)
    if column is None or column.type != "time":
        times = [n for n, c in ours.columns.items() if c.type == "time"]
        yield path, f"{name!r} is no time column of {ours.dataset}", f"name one of {times}"
    elif column.known_after:
        yield (
            path,
            f"{name} leaks the future: it is known only after {column.known_after}",
            "look at a moment that is known at prediction time",
        )


def _own(
    path: _Path, where: str, model: ModelSpec, columns: Iterable[str], ours: DatasetSpec
) -> Iterator[Finding]:
    """A look into the model's own dataset finds the row itself, with its own target."""
    follows = {model.target.column, *consequences(model.target.column, ours.columns)}
    if leaks := sorted(follows & set(columns)):
        yield (
            path,
            f"{where} leaks the target of a row into itself: {', '.join(leaks)}",
            "leave them out with 'columns', or say with the view's 'known' when a row is known",
        )
