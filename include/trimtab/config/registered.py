"""What code registers by name and configuration may name."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

# Functions that derive columns, with the columns they read; None: all that may be read.
Functions = Mapping[str, tuple[str, ...] | None]


@dataclass(frozen=True)
class Registered:
    """Names to check configuration against; None where a kind is not to be checked."""

    estimators: Collection[str] | None = None
    trainings: Collection[str] | None = None  # training functions
    features: Functions | None = None  # functions that derive columns
    behaviour: Collection[str] | None = None  # behaviour tests
    kpis: Collection[str] | None = None  # numbers of the business


NOT_ASKED = Registered()
