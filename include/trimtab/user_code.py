"""A user's own modules, and the names they register: imported late, and each name once."""

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from trimtab.errors import TrimtabError

T = TypeVar("T")


def load(module: str, what: str) -> None:
    """Import a user's module when there is one; ``what`` it registers, for the error.

    Raises:
        TrimtabError: it cannot be imported.
    """
    if importlib.util.find_spec(module) is None:
        return
    try:
        importlib.import_module(module)
    except Exception as error:  # a user's module may raise anything
        raise TrimtabError(
            f"the {what} in {module} cannot be imported: {type(error).__name__}: {error}"
        ) from error


def claim(what: str, there: Callable[..., Any] | None, new: Callable[..., Any]) -> None:
    """Let a function have a name; a module that is imported again brings the same one.

    Raises:
        TrimtabError: another one has it.
    """
    if there is None:
        return
    if (there.__module__, there.__qualname__) != (new.__module__, new.__qualname__):
        raise TrimtabError(
            f"{what} is registered by {there.__module__} already; choose another name"
        )


def named(what: str, name: str, registered: Mapping[str, T], module: str) -> T:
    """Return what ``module`` has registered under a name.

    Raises:
        TrimtabError: there is none; says what there is.
    """
    if name not in registered:
        raise TrimtabError(f"there is no {what} {name!r}; {module} registers {sorted(registered)}")
    return registered[name]
