"""What is wrong with a feature view against its dataset."""

from collections.abc import Iterator, Mapping

from trimtab.config.check_derived import check_derived
from trimtab.config.columns import view_columns
from trimtab.config.dataset import DatasetSpec
from trimtab.config.findings import Finding, near
from trimtab.config.registered import Functions
from trimtab.config.view import FeatureView


def check_view(
    view: FeatureView, datasets: Mapping[str, DatasetSpec], functions: Functions | None = None
) -> list[Finding]:
    """Return every problem of one feature view against the datasets."""
    if view.from_ not in datasets:
        fix = f"known are {sorted(datasets)}; correct the name, or the dataset's own file first"
        return [(("from",), f"there is no usable dataset {view.from_!r}", fix)]
    dataset = datasets[view.from_]
    found = [*_entity(view, dataset), *_times(view, dataset), *_columns(view, dataset)]
    visible = {
        name: column.type for name, column in dataset.columns.items() if _known(view, dataset, name)
    }
    hidden = {
        name: f"known only after {column.known_after}"
        for name, column in dataset.columns.items()
        if name not in visible
    }
    found += check_derived(("derive",), view.derive, visible, hidden, functions)
    if not found and not view_columns(view, dataset):
        found.append((("columns",), f"{view.view} brings no column", "name some, or derive one"))
    return found


def _known(view: FeatureView, dataset: DatasetSpec, name: str) -> bool:
    return bool(view.known) or dataset.columns[name].known_after is None


def _entity(view: FeatureView, dataset: DatasetSpec) -> Iterator[Finding]:
    for i, name in enumerate(view.entity):
        path, column = ("entity", i), dataset.columns.get(name)
        if column is None:
            fix = near(name, dataset.columns)
            yield path, f"{dataset.dataset} has no column {name!r}", fix
        elif column.type in ("float", "time"):
            yield (
                path,
                f"{name} is {column.type}, which names no entity",
                "use int, text or category",
            )
        elif view.entity.index(name) != i:
            yield path, f"{name} stands twice", "keep one of them"


def _times(view: FeatureView, dataset: DatasetSpec) -> Iterator[Finding]:
    if view.time is None and dataset.time is None:
        fix = f"name a time column here, or set 'time' in the file of {dataset.dataset}"
        yield ("time",), f"{dataset.dataset} has no event time", fix
    for key, name in (("time", view.time), ("known", view.known)):
        if name is None:
            continue
        column = dataset.columns.get(name)
        if column is None:
            yield (key,), f"{dataset.dataset} has no column {name!r}", near(name, dataset.columns)
        elif column.type != "time":
            times = [n for n, c in dataset.columns.items() if c.type == "time"]
            yield (key,), f"{name} is {column.type}, not a time", f"times are {times}"


def _columns(view: FeatureView, dataset: DatasetSpec) -> Iterator[Finding]:
    for i, name in enumerate(view.columns or ()):
        path, column = ("columns", i), dataset.columns.get(name)
        if column is None:
            fix = near(name, dataset.columns)
            yield path, f"{dataset.dataset} has no column {name!r}", fix
        elif not _known(view, dataset, name):
            yield (
                path,
                f"{name} leaks the future: it is known only after {column.known_after}",
                "name the column that says when with 'known', or take it out",
            )
