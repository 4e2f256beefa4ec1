"""Expectations of your own: functions in a module of yours, usable by name in ``checks``.

>>> import narwhals as nw
>>> @expectation("expect_column_values_to_be_even")
... def even(column: nw.Expr, *, offset: int = 0) -> nw.Expr:
...     return (column + offset) % 2 == 0
"""

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import narwhals as nw

from trimtab import user_code
from trimtab.adapters import gx
from trimtab.errors import TrimtabError
from trimtab.validation.plan import RowsPlan, Table, null, total

# A module or package of this name on the path, such as include/trimtab_expectations.py, is
# imported before a contract is read. Subclasses of GX's own expectations may stand in it, too.
USER_MODULE = "trimtab_expectations"
Function = Callable[..., Any]


@dataclass(frozen=True)
class Custom:
    """A function under the name of an expectation; of ``rows``, or of the whole table."""

    name: str
    function: Function
    rows: bool


_REGISTRY: dict[str, Custom] = {}


def expectation(name: str) -> Callable[[Function], Function]:
    """Register the decorated function as the expectation ``name``.

    A function whose first parameter is ``column`` gets a Narwhals expression of the check's
    ``column`` and returns one that is true where a row is good; missing values are not its
    affair. One whose first parameter is ``frame`` gets a Narwhals lazy frame of the contract's
    columns and returns whether the table is good, or that and what was observed. Further
    parameters are the check's arguments.

    Raises:
        TrimtabError: the name is taken, or no expectation's; the first parameter is another.
    """

    def register(function: Function) -> Function:
        first = next(iter(inspect.signature(function).parameters), None)
        if first not in ("column", "frame") or not name.startswith("expect_"):
            raise TrimtabError(
                f"expectation {name!r}: its name must begin with expect_, and the first parameter "
                f"of {function.__qualname__} must be column or frame, not {first}"
            )
        there = _REGISTRY.get(name)
        if there and there.function.__qualname__ != function.__qualname__:
            raise TrimtabError(
                f"expectation {name!r} is registered by {there.function.__module__} already; "
                "choose another name"
            )
        _REGISTRY[name] = Custom(name, function, rows=first == "column")
        return function

    return register


def load() -> Mapping[str, Custom]:
    """Import the user's module and make its expectations known to GX; return them by name.

    Raises:
        TrimtabError: the module cannot be imported.
    """
    gx.load()  # the user's module may import it, too
    user_code.load(USER_MODULE, "expectations")
    for item in _REGISTRY.values():
        words = inspect.getdoc(item.function) or item.name
        gx.define(item.name, _arguments(item.function), rows=item.rows, words=words)
    return dict(_REGISTRY)


def plan(item: Custom, kwargs: Mapping[str, Any], table: Table) -> RowsPlan:
    """Return the plan of an expectation of rows."""
    column = str(kwargs["column"])
    table.kind(column)
    there = ~nw.col(column).is_null()
    good = item.function(nw.col(column), **_own(item, kwargs))
    bad = there & ~nw.coalesce(good, nw.lit(value=False))
    return RowsPlan(bad, (column,), null(column), {null(column): total(~there)})


def judge(item: Custom, kwargs: Mapping[str, Any], frame: nw.LazyFrame[Any]) -> dict[str, Any]:
    """Ask an expectation of the whole table; return GX's raw result."""
    answer = item.function(frame, **_own(item, kwargs))
    good, observed = answer if isinstance(answer, tuple) else (answer, None)
    return {"success": bool(good), "result": {"observed_value": gx.plain(observed)}}


def _own(item: Custom, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    return {name: kwargs[name] for name in _arguments(item.function) if name in kwargs}


def _arguments(function: Function) -> dict[str, tuple[Any, Any]]:
    try:
        hints = typing.get_type_hints(function)
    except Exception:  # annotations may name what was imported for the type checker only
        hints = {}
    own = list(inspect.signature(function).parameters.values())[1:]
    return {
        p.name: (hints.get(p.name, Any), ... if p.default is p.empty else p.default) for p in own
    }
