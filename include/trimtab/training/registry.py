"""Estimators by name. Importing this module imports no scikit-learn: builders are lazy."""

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from trimtab.config.model import Task
from trimtab.errors import TrimtabError

TASKS: tuple[Task, ...] = ("binary", "multiclass", "regression")
# A user's own estimators: a module or package of this name on the path, such as
# include/trimtab_estimators.py, registers them by the decorator below when it is imported.
USER_MODULE = "trimtab_estimators"


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
    grows: str | None = None  # its parameter that counts trees; with warm_start it adds to them


_REGISTRY: dict[str, Estimator] = {}


def estimator(
    name: str,
    *,
    tasks: tuple[Task, ...] = TASKS,
    style: Literal["linear", "tree"] = "tree",
    defaults: Mapping[str, Any] | None = None,
    space: Space | None = None,
    max_rows: int | None = None,
    grows: str | None = None,
) -> Callable[[Builder], Builder]:
    """Register the decorated builder ``(task, seed, **params)`` under ``name``.

    ``defaults`` are the parameters of the first trial, inside ``space``. ``grows`` names the
    parameter of the built estimator that counts its trees, when it has scikit-learn's
    ``warm_start``: such a family's trials are stopped early when they fall behind. Import
    scikit-learn inside the builder. The loader refuses types it does not know: see serving.loader.
    """

    def register(build: Builder) -> Builder:
        there = _REGISTRY.get(name)
        if there and (there.build.__module__, there.build.__qualname__) != (
            build.__module__,
            build.__qualname__,
        ):
            raise TrimtabError(
                f"estimator {name!r} is registered by {there.build.__module__} already; "
                "choose another name"
            )
        _REGISTRY[name] = Estimator(
            name, build, tasks, style, dict(defaults or {}), space, max_rows, grows
        )
        return build

    return register


def names() -> tuple[str, ...]:
    """Return every registered name."""
    _load()
    return tuple(sorted(_REGISTRY))


def get(name: str, task: Task) -> Estimator:
    """Return one family for a task.

    Raises:
        TrimtabError: there is none of this name, or it cannot do the task.
    """
    _load()
    if name not in _REGISTRY:
        raise TrimtabError(f"there is no estimator {name!r}; choose from {list(names())}")
    family = _REGISTRY[name]
    if task not in family.tasks:
        raise TrimtabError(
            f"estimator {name} does {list(family.tasks)}, not {task}; take it out of candidates"
        )
    return family


def _load() -> None:
    importlib.import_module("trimtab.training.estimators")
    if importlib.util.find_spec(USER_MODULE):
        try:
            importlib.import_module(USER_MODULE)
        except Exception as error:  # a user's module may raise anything
            raise TrimtabError(
                f"the estimators in {USER_MODULE} cannot be imported: "
                f"{type(error).__name__}: {error}"
            ) from error
