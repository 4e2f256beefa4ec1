"""Estimators by name. Importing this module imports no scikit-learn: builders are lazy."""

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from trimtab import user_code
from trimtab.config.model import Task
from trimtab.errors import TrimtabError
from trimtab.trusted import USER_MODULE, allow, import_user_module

__all__ = ["TASKS", "USER_MODULE", "Estimator", "allow", "estimator", "functions", "get", "names"]
TASKS: tuple[Task, ...] = ("binary", "multiclass", "regression")


class Trial(Protocol):
    """What a search space may ask for (Optuna's trial)."""

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = ...) -> int:
        """Choose a whole number."""
        ...

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = ...) -> float:
        """Choose a number."""
        ...

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        """Choose one of ``choices``."""
        ...


Builder = Callable[..., Any]
Space = Callable[[Any], dict[str, Any]]


@dataclass(frozen=True)
class Estimator:
    """One family: how to build it, what to search, and the preprocessing it wants."""

    name: str
    build: Builder  # (task, seed, **params) -> an unfitted scikit-learn estimator
    tasks: tuple[Task, ...] = TASKS
    style: Literal["linear", "tree"] = "tree"
    defaults: Mapping[str, Any] = field(default_factory=dict)
    space: Space | None = None
    max_rows: int | None = None  # fitted on a seeded sample of this many rows at most
    calibrates: bool = True  # whether train.calibrate is for it; constants have nothing to gain
    requires: str | None = None  # a library beyond ours: a module, and the extra that brings it
    grows: str | None = None  # its parameter that counts trees; with warm_start it adds to them
    function: Callable[..., Any] | None = None  # the user's own fit, in place of a builder


_REGISTRY: dict[str, Estimator] = {}


def estimator(
    name: str,
    *,
    tasks: tuple[Task, ...] = TASKS,
    style: Literal["linear", "tree"] = "tree",
    defaults: Mapping[str, Any] | None = None,
    space: Space | None = None,
    max_rows: int | None = None,
    calibrates: bool = True,
    requires: str | None = None,
    grows: str | None = None,
) -> Callable[[Builder], Builder]:
    """Register the decorated builder ``(task, seed, **params)`` under ``name``.

    ``defaults`` are the parameters of the first trial, inside ``space``. ``grows`` names the
    parameter of the built estimator that counts its trees, when it has scikit-learn's
    ``warm_start``: such a family's trials are stopped early when they fall behind. Import
    scikit-learn inside the builder. Classes of your own need `allow`: the loader refuses what it
    does not know.
    """

    def decorated(build: Builder) -> Builder:
        found = dict(defaults or {})
        known = tasks, style, found, space, max_rows, calibrates, requires, grows
        register(Estimator(name, build, *known))
        return build

    return decorated


def register(family: Estimator) -> None:
    """Make a family known.

    Raises:
        TrimtabError: another one has its name.
    """
    there = _REGISTRY.get(family.name)
    user_code.claim(f"estimator {family.name!r}", there.build if there else None, family.build)
    _REGISTRY[family.name] = family


def names() -> tuple[str, ...]:
    """Return the name of every estimator whose library is installed."""
    _load()
    return tuple(sorted(f.name for f in _REGISTRY.values() if f.function is None and _installed(f)))


def functions() -> tuple[str, ...]:
    """Return the name of every training function."""
    _load()
    return tuple(sorted(f.name for f in _REGISTRY.values() if f.function is not None))


def _installed(family: Estimator) -> bool:
    return family.requires is None or importlib.util.find_spec(family.requires) is not None


def get(name: str, task: Task) -> Estimator:
    """Return one family for a task.

    Raises:
        TrimtabError: there is none of this name, it cannot do the task, or its library is missing.
    """
    _load()
    if name not in _REGISTRY:
        raise TrimtabError(f"there is no estimator {name!r}; choose from {list(names())}")
    family = _REGISTRY[name]
    if not _installed(family):
        raise TrimtabError(
            f"estimator {name} needs its library: install trimtab[{family.requires}]"
        )
    if task not in family.tasks:
        raise TrimtabError(
            f"estimator {name} does {list(family.tasks)}, not {task}; take it out of candidates"
        )
    return family


def _load() -> None:
    importlib.import_module("trimtab.training.estimators")
    import_user_module()
