"""The user's own numbers by name. Importing this module imports no pandas."""

from collections.abc import Callable
from typing import Any

from trimtab import user_code

# A user's own numbers: a module or package of this name on the path, such as
# include/trimtab_kpi.py, registers them by the decorator below when it is imported.
USER_MODULE = "trimtab_kpi"
Number = Callable[[Any], Any]
_REGISTRY: dict[str, Number] = {}


def kpi(name: str) -> Callable[[Number], Number]:
    """Register the decorated function as the number ``name``.

    It gets a pandas frame of the window's rows: the columns of the scored dataset and the joined
    features, ``prediction``, and ``target`` where it is known by now. It returns one number.
    """

    def register(number: Number) -> Number:
        user_code.claim(f"KPI {name!r}", _REGISTRY.get(name), number)
        _REGISTRY[name] = number
        return number

    return register


def names() -> tuple[str, ...]:
    """Return the name of every registered number."""
    _load()
    return tuple(sorted(_REGISTRY))


def get(name: str) -> Number:
    """Return one function.

    Raises:
        TrimtabError: there is none of this name.
    """
    _load()
    return user_code.named("KPI function", name, _REGISTRY, USER_MODULE)


def _load() -> None:
    user_code.load(USER_MODULE, "KPI functions")
