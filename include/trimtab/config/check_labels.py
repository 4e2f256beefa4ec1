"""What is wrong with the dataset a model's labels arrive in: target, keys, and their types."""

from collections.abc import Iterator

from trimtab.config.catalog import Catalog
from trimtab.config.findings import Finding, near
from trimtab.config.model import ModelSpec

NAME = "prediction_id"  # the column by which a label may name the prediction it is of


def check_labels(model: ModelSpec, catalog: Catalog) -> Iterator[Finding]:
    """Yield every problem of ``monitor.labels``."""
    labels, path = model.monitor.labels, ("monitor", "labels")
    if labels is None:
        return
    theirs = catalog.datasets.get(labels.dataset)
    if theirs is None:
        fix = f"known are {sorted(catalog.datasets)}; correct the name, or the dataset's own file"
        yield (*path, "dataset"), f"there is no usable dataset {labels.dataset!r}", fix
        return
    ours, target = catalog.datasets[model.scored_on], model.target.column
    if target not in theirs.columns:
        fix = f"the labels are expected under the target's name; {near(target, theirs.columns)}"
        yield (*path, "dataset"), f"{theirs.dataset} has no column {target!r}", fix
    if not labels.key and NAME in theirs.columns:
        return
    for name in labels.key or ours.key:
        lacks = [each.dataset for each in (ours, theirs) if name not in each.columns]
        if lacks:
            fix = f"name columns that both have, or give {theirs.dataset} a column {NAME}"
            yield (*path, "key"), f"{' and '.join(lacks)} has no column {name!r}", fix
        elif (mine := ours.columns[name].type) != (other := theirs.columns[name].type):
            told = f"{name} is {mine} in {ours.dataset} and {other} in {theirs.dataset}"
            yield (*path, "key"), told, "give both the same type"
