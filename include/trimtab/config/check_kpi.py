"""The numbers of the business that a model file asks for: names, and queries that can work."""

from collections.abc import Iterator

from trimtab.config import expression
from trimtab.config.catalog import Catalog
from trimtab.config.columns import available, task_of
from trimtab.config.dataset import ColumnType
from trimtab.config.expression import ExpressionError
from trimtab.config.findings import Finding
from trimtab.config.model import ModelSpec
from trimtab.config.registered import Registered

TABLE = "scored"
_NO_NUMBERS = ("VARCHAR", "DATE", "TIME", "INTERVAL", "BLOB", "STRUCT", "MAP", "UUID")


def names(model: ModelSpec, registered: Registered) -> Iterator[Finding]:
    """Find functions that nobody registered, names that stand twice, limits that cannot be kept."""
    seen: set[str] = set()
    for i, kpi in enumerate(model.monitor.kpi):
        path = ("monitor", "kpi", i)
        if kpi.name in seen:
            yield (*path, "name"), f"{kpi.name!r} stands twice", "rename one of them"
        seen.add(kpi.name)
        if kpi.min is not None and kpi.max is not None and kpi.min > kpi.max:
            yield path, f"min {kpi.min:g} is above max {kpi.max:g}", "swap them"
        known = registered.kpis
        if kpi.function is not None and known is not None and kpi.function not in known:
            yield (
                (*path, "function"),
                f"there is no KPI function {kpi.function!r}",
                f"registered are {sorted(known)}; decorate yours with @kpi({kpi.function!r}) "
                "in trimtab_kpi",
            )


def queries(model: ModelSpec, catalog: Catalog) -> Iterator[Finding]:
    """Find queries that do not work on the columns of a window."""
    for i, kpi in enumerate(model.monitor.kpi):
        if kpi.sql is None:
            continue
        path, columns = ("monitor", "kpi", i, "sql"), window(model, catalog)
        try:
            kind = expression.bind_query(kpi.sql, TABLE, columns)
        except ExpressionError as error:
            fix = f"write one number of the table {TABLE}, which has {sorted(columns)}"
            yield path, f"{kpi.name} {error}", fix
            continue
        if kind.startswith(_NO_NUMBERS):
            fix = "cast it, or count: SELECT count(*) ..."
            yield path, f"{kpi.name} gives {kind}, not a number", fix


def window(model: ModelSpec, catalog: Catalog) -> dict[str, ColumnType]:
    """The columns a query finds: of the scored dataset, the joined features, and our own two."""
    scored = catalog.datasets[model.scored_on].columns
    columns = {**scored, **available(model, catalog)}
    task = task_of(model, catalog)
    given: ColumnType = "text" if task == "multiclass" else "float"
    own: dict[str, ColumnType] = {"prediction": given, "target": given}
    return {**{name: column.type for name, column in columns.items()}, **own}
