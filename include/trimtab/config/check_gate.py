"""What a model file says of its gate, where one key speaks of another or of the columns."""

from collections.abc import Iterator

from trimtab.config.catalog import Catalog
from trimtab.config.columns import available, task_of
from trimtab.config.findings import Finding, near
from trimtab.config.model import ModelSpec


def groups(model: ModelSpec, catalog: Catalog) -> Iterator[Finding]:
    """Find a column of rows drawn together that is not there."""
    columns, name = available(model, catalog), model.gate.versus_champion.group
    path = ("gate", "versus_champion", "group")
    if name is not None and name not in columns:
        yield path, f"the rows have no column {name!r}", near(name, columns)
    elif name is not None and name == model.target.column:
        yield path, f"{name} is the target itself", "name what rows belong to: a customer, a site"


def limits(model: ModelSpec, catalog: Catalog) -> Iterator[Finding]:
    """Find limits of the gate that do not fit the task or that nothing is judged by."""
    gate = model.gate
    if gate.calibration is not None and task_of(model, catalog) == "regression":
        fix = "take gate.calibration out"
        yield ("gate", "calibration"), "a regression has no probabilities to judge", fix
    if gate.slice_floor is not None and not (gate.slices or gate.discover_slices):
        fix = "name columns in gate.slices, or set gate.discover_slices"
        yield ("gate", "slice_floor"), "there is no slice the floor could be judged in", fix
