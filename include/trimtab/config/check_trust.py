"""What a model file asks of fairness and behaviour, where one key speaks of another."""

from collections.abc import Iterator

from trimtab.config.catalog import Catalog
from trimtab.config.columns import available, task_of
from trimtab.config.findings import Finding, near
from trimtab.config.model import ModelSpec
from trimtab.config.registered import Registered

_OF_CLASSES = ("demographic_parity", "equalized_odds")


def names(model: ModelSpec, registered: Registered) -> Iterator[Finding]:
    """Find behaviour tests that nobody registered."""
    if registered.behaviour is None:
        return
    for i, name in enumerate(model.gate.behaviour):
        if name not in registered.behaviour:
            yield (
                ("gate", "behaviour", i),
                f"there is no behaviour test {name!r}",
                f"registered are {sorted(registered.behaviour)}; decorate yours with "
                f"@behaviour_test({name!r}, kind=...) in trimtab_behaviour",
            )


def columns(model: ModelSpec, catalog: Catalog) -> Iterator[Finding]:
    """Find protected columns that the rows lack, or that make no groups."""
    if model.gate.fairness is None:
        return
    there = available(model, catalog)
    for i, name in enumerate(model.gate.fairness.columns):
        path = ("gate", "fairness", "columns", i)
        if name not in there:
            yield path, f"the rows have no column {name!r}", near(name, there)
        elif name == model.target.column:
            yield path, f"{name} is the target itself", "name a column that people differ in"
        elif there[name].type == "time":
            yield path, f"{name} is a time, which makes no groups", "derive a category from it"


def measures(model: ModelSpec, catalog: Catalog) -> Iterator[Finding]:
    """Find limits on answers that a regression does not give."""
    fairness = model.gate.fairness
    if fairness is None or task_of(model, catalog) != "regression":
        return
    for name in _OF_CLASSES:
        if getattr(fairness, name) is not None:
            fix = "use error, the mean absolute error"
            yield ("gate", "fairness", name), "a regression has no positive answers", fix
