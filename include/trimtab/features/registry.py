"""Functions that compute a column, by name. Importing this module imports no pandas."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from trimtab import user_code

# A user's own functions: a module or package of this name on the path, such as
# include/trimtab_features.py, registers them by the decorator below when it is imported.
USER_MODULE = "trimtab_features"
Compute = Callable[[Any], Any]


@dataclass(frozen=True)
class Function:
    """One function: a pandas frame of rows in, a Series of as many values out."""

    name: str
    compute: Compute
    reads: tuple[str, ...] | None  # None: every column that is known at prediction time


_REGISTRY: dict[str, Function] = {}


def feature(name: str, *, reads: tuple[str, ...] | None = None) -> Callable[[Compute], Compute]:
    """Register the decorated function ``(frame) -> Series`` under ``name``.

    It gets a pandas frame of the columns ``reads`` in the types of the contract; without
    ``reads`` of every column known at prediction time, which then has to be there wherever the
    feature is computed. It may look at one row at a time only: what it computes for a part of
    the rows must be what it computes for all of them.
    """

    def register(compute: Compute) -> Compute:
        there = _REGISTRY.get(name)
        user_code.claim(f"feature {name!r}", there.compute if there else None, compute)
        _REGISTRY[name] = Function(name, compute, tuple(reads) if reads is not None else None)
        return compute

    return register


def functions() -> Mapping[str, tuple[str, ...] | None]:
    """Return every registered name and the columns it reads."""
    _load()
    return {name: _REGISTRY[name].reads for name in sorted(_REGISTRY)}


def get(name: str) -> Function:
    """Return one function.

    Raises:
        TrimtabError: there is none of this name.
    """
    _load()
    return user_code.named("feature function", name, _REGISTRY, USER_MODULE)


def source(name: str) -> str:
    """Return the text of a function, so that another text makes other features.

    Raises:
        TrimtabError: there is none of this name.
    """
    compute = get(name).compute
    try:
        return inspect.getsource(compute)
    except (OSError, TypeError):  # defined where there is no file
        return compute.__code__.co_code.hex() if hasattr(compute, "__code__") else repr(compute)


def _load() -> None:
    user_code.load(USER_MODULE, "functions")
