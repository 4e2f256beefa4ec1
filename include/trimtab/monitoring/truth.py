"""Rows whose label is known, as the families that judge by labels look at them. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from trimtab.monitoring.blocks import Value

# (labels, predictions, weights of the rows or None) -> the metric, higher is better.
Metric = Callable[[Any, Any, Any], float]


@dataclass(frozen=True)
class Known:
    """Rows with their label: ``truth`` (n,), ``prediction`` (n,) or (n, k), ``blocks`` (n,).

    ``inputs`` (n, d) are the watched features as numbers, NaN where there is no value.
    """

    truth: Any
    prediction: Any
    blocks: Any
    inputs: Any = None

    def __len__(self) -> int:
        return len(self.truth)

    def value(self, metric: Metric, weights: Any = None) -> Value:
        """The metric of the rows of a mask."""

        def of(keep: Any) -> float:
            mine = None if weights is None else weights[keep]
            return float(metric(self.truth[keep], self.prediction[keep], mine))

        return of

    def thinned(self, most: int) -> "Known":
        """At most so many rows, evenly spread, so that every block keeps its share."""
        if len(self) <= most:
            return self
        taken = np.linspace(0, len(self) - 1, most).astype(int)
        inputs = None if self.inputs is None else self.inputs[taken]
        return Known(self.truth[taken], self.prediction[taken], self.blocks[taken], inputs)
