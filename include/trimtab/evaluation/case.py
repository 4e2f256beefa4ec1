"""What the gate judges by: the rows, the contenders, the rules' limits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd

from trimtab.config.model import Gate, Task
from trimtab.evaluation.holdout import Holdout
from trimtab.types import FeatureSet, Rule


class Model(Protocol):
    """Anything that answers rows with numbers."""

    @property
    def classes(self) -> Sequence[Any] | None:
        """Labels of a multiclass prediction's columns."""

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """P(positive) (n,), class probabilities (n, k), or values (n,)."""


# Judge one rule under a name; an exception in it refuses.
Ask = Callable[[str, Callable[[], Rule]], None]


@dataclass(frozen=True)
class Contender:
    """A model to be measured. ``load`` is called inside the gate, so that its failure refuses."""

    name: str  # challenger | champion | dummy | linear
    version: int
    features: FeatureSet
    load: Callable[[], Model]
    linear: bool = False  # of a linear family


@dataclass(frozen=True)
class Answers:
    """A contender's predictions on the hold-out rows."""

    prediction: np.ndarray
    classes: Sequence[Any] | None


@dataclass(frozen=True)
class Case:
    """Everything the gate judges by."""

    gate: Gate
    primary: str
    task: Task
    holdout: Holdout
    before: tuple[Rule, ...]  # what the record says: without these nothing is measured
    after: tuple[Rule, ...]  # judged beside the measurements, so that these are shown too
    challenger: Contender
    champion: Contender | None
    dummy: Contender
    linear: Contender
    seed: str
    operation: Mapping[str, float] = field(default_factory=dict)  # what it costs to serve
    group: str | None = None  # column whose values are drawn as a whole

    @property
    def contenders(self) -> tuple[Contender, ...]:
        """Everybody who answers, the challenger first."""
        champion = (self.champion,) if self.champion else ()
        return (self.challenger, *champion, self.dummy, self.linear)
