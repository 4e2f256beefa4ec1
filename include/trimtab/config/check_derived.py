"""What is wrong with derived columns: names, leaks, expressions that do not bind."""

from collections.abc import Iterator, Mapping

from trimtab.config import expression
from trimtab.config.dataset import ColumnType
from trimtab.config.findings import Finding, near
from trimtab.config.registered import Functions
from trimtab.config.view import Derived

Types = Mapping[str, ColumnType]


def check_derived(
    where: tuple[str | int, ...],
    derive: Mapping[str, Derived],
    visible: Types,
    hidden: Mapping[str, str],
    functions: Functions | None,
) -> Iterator[Finding]:
    """Yield every problem of the derived columns at ``where``.

    Args:
        where: path of the mapping in its file.
        derive: the columns; each may read those before it.
        visible: columns that may be read, by type.
        hidden: columns that are there and may not be read, and why.
        functions: what is registered; not asked when None.
    """
    known = dict(visible)
    for name, derived in derive.items():
        path = (*where, name)
        if name in known or name in hidden:
            yield path, f"the rows have a column {name!r} already", "give it another name"
        if name.startswith("_"):
            yield path, f"{name!r} begins with _, which trimtab keeps for itself", "rename it"
        if derived.sql is not None:
            yield from _sql((*path, "sql"), name, derived, known, hidden)
        elif functions is not None:
            yield from _function((*path, "function"), name, derived, known, hidden, functions)
        known[name] = derived.type


def _sql(
    path: tuple[str | int, ...],
    name: str,
    derived: Derived,
    known: Types,
    hidden: Mapping[str, str],
) -> Iterator[Finding]:
    sql = str(derived.sql)
    try:
        found = list(_names(path, name, expression.reads(sql), known, hidden))
        if not found:
            expression.bind(sql, derived.type, known)
    except expression.ExpressionError as error:
        found = [(path, f"{name} {error}", f"correct the expression {sql!r}")]
    yield from found


def _function(
    path: tuple[str | int, ...],
    name: str,
    derived: Derived,
    known: Types,
    hidden: Mapping[str, str],
    functions: Functions,
) -> Iterator[Finding]:
    function = str(derived.function)
    if function not in functions:
        fix = f"trimtab_features registers {sorted(functions)}; register it there"
        yield path, f"{name} is made by a function {function!r} that nobody registered", fix
    else:
        yield from _names(path, name, functions[function] or (), known, hidden)


def _names(
    path: tuple[str | int, ...],
    name: str,
    reads: tuple[str, ...],
    known: Types,
    hidden: Mapping[str, str],
) -> Iterator[Finding]:
    for column in reads:
        if column in hidden:
            yield (
                path,
                f"{name} leaks the future: it reads {column}, {hidden[column]}",
                f"take {column} out; at prediction time it has no value",
            )
        elif column not in known:
            fix = near(column, known)
            yield path, f"{name} reads {column!r}, which is no column before it", fix
