"""Behaviour tests by name, as users write them. Importing this module imports no pandas.

Kinds and words are those of Ribeiro et al., "Beyond Accuracy: Behavioral Testing of NLP Models
with CheckList" (ACL 2020).
"""

import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from trimtab import user_code
from trimtab.errors import TrimtabError

# A user's own tests: a module or package of this name on the path, such as
# include/trimtab_behaviour.py, registers them by the decorator below when it is imported.
USER_MODULE = "trimtab_behaviour"
Kind = Literal["invariance", "direction", "minimum"]
Way = Literal["up", "down"]
Cases = Callable[[Any], Any]


@dataclass(frozen=True)
class BehaviourTest:
    """One test: what makes its cases, and how far a prediction may be off."""

    name: str
    kind: Kind
    cases: Cases
    expect: Way | None = None  # of direction
    label: Any = None  # of direction among several classes: whose probability moves
    tolerance: float = 1e-6  # in units of the prediction
    allowed: float = 0.0  # share of the cases that may fail


_REGISTRY: dict[str, BehaviourTest] = {}


def behaviour_test(
    name: str,
    *,
    kind: Kind,
    expect: Way | None = None,
    label: Any = None,
    tolerance: float = 1e-6,
    allowed: float = 0.0,
) -> Callable[[Cases], Cases]:
    """Register the decorated function as the behaviour test ``name``.

    It gets a pandas frame of some hold-out rows with the model's features. For ``invariance`` and
    ``direction`` it returns the rows it can change, changed, under their old index; their
    predictions must stay, or must not move against ``expect``. For ``minimum`` it returns cases
    and what is expected of each: 0 or 1, a class, or the lowest and the highest number.

    Raises:
        TrimtabError: the name is taken, or the arguments do not fit the kind.
    """
    if wrong := _wrong(kind, expect, tolerance, allowed):
        raise TrimtabError(f"behaviour test {name!r}: {wrong}")

    def register(cases: Cases) -> Cases:
        there = _REGISTRY.get(name)
        user_code.claim(f"behaviour test {name!r}", there.cases if there else None, cases)
        _REGISTRY[name] = BehaviourTest(name, kind, cases, expect, label, tolerance, allowed)
        return cases

    return register


def _wrong(kind: str, expect: str | None, tolerance: float, allowed: float) -> str:
    if kind not in typing.get_args(Kind):
        return f"kind is {kind!r}; choose from {list(typing.get_args(Kind))}"
    if kind == "direction" and expect not in typing.get_args(Way):
        return f"a direction is expected to go up or down; say expect='up' or 'down', not {expect}"
    if kind != "direction" and expect is not None:
        return f"expect is for kind='direction', not {kind!r}; take it out"
    if not (tolerance >= 0 and 0 <= allowed < 1):
        return "tolerance must be 0 or more, and allowed a share from 0 to below 1"
    return ""


def names() -> tuple[str, ...]:
    """Return the name of every registered test."""
    _load()
    return tuple(sorted(_REGISTRY))


def get(name: str) -> BehaviourTest:
    """Return one test.

    Raises:
        TrimtabError: there is none of this name.
    """
    _load()
    return user_code.named("behaviour test", name, _REGISTRY, USER_MODULE)


def _load() -> None:
    user_code.load(USER_MODULE, "behaviour tests")
