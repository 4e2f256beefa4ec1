"""Whether the same inputs get worse answers than before: concept drift, told apart from the data's.

DISDE (Cai, Namkoong and Yadlowsky 2023, "Diagnosing Model Performance Under Distribution Shift",
arXiv 2303.02011): a classifier tells the window's rows from the reference's by their inputs. Rows
that could be of either side weigh most (the overlap weights of Li, Morgan and Zaslavsky 2018), on
both sides, so that both have the same inputs; what is then left of the difference is due to the
relation between inputs and label. Rows the reference has never seen weigh nothing: of them nobody
can say whether they would have been answered better before.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from trimtab.monitoring import blocks as by_block
from trimtab.monitoring.blocks import Spread
from trimtab.monitoring.truth import Known, Metric

FOLDS = 3
ROWS = 10_000  # of each side; more say the same


@dataclass(frozen=True)
class SameInputs:
    """The metric of both sides on inputs that both have, and on all of their own rows.

    ``rows`` is how many rows the smaller side has that could be of either.
    """

    now: Spread
    before: Spread
    rows: int
    all_now: float
    all_before: float
    p_value: float

    @property
    def harder_inputs(self) -> float:
        """Part of the fall that the inputs explain: harder rows, and rows never seen before."""
        return (self.all_before - self.all_now) - (self.before.value - self.now.value)


def compare(now: Known, before: Known, metric: Metric) -> SameInputs:
    """Compare the metric of both sides on the same inputs."""
    now, before = now.thinned(ROWS), before.thinned(ROWS)
    of_now, of_before = overlap(now, before)
    there = by_block.spread(before.value(metric, of_before), before.blocks)
    here = by_block.spread(now.value(metric, of_now), now.blocks)
    here = by_block.borrowed(here, there)
    everything = [rows.value(metric)(np.ones(len(rows), dtype=bool)) for rows in (now, before)]
    return SameInputs(
        here,
        there,
        int(min(_worth(of_now), _worth(of_before))),
        everything[0],
        everything[1],
        by_block.chance_of_fall(here, there),
    )


def _worth(weights: Any) -> float:
    """Rows of equal weight; of two sides that are quite alike, whose weights are 1/2, all rows."""
    return min(by_block.effective(weights), 2 * float(np.sum(weights)))


def overlap(now: Known, before: Known) -> tuple[Any, Any]:
    """Weights of both sides' rows under which they have the same inputs.

    The chance to be of the window is learnt on other rows than it is used for, and as if both
    sides had as many rows.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    inputs = np.concatenate([_seen(now), _seen(before)])
    side = np.repeat([1, 0], [len(now), len(before)])
    fold = np.random.default_rng(0).permutation(len(side)) % FOLDS
    chance = np.empty(len(side))
    least = max(20, len(side) // 100)
    for i in range(FOLDS):
        learn = fold != i
        model = HistGradientBoostingClassifier(
            max_iter=50, max_leaf_nodes=8, min_samples_leaf=least, l2_regularization=1.0,
            early_stopping=False, random_state=0,
        ).fit(inputs[learn], side[learn])  # fmt: skip
        chance[~learn] = model.predict_proba(inputs[~learn])[:, 1]
    odds = chance / (1 - chance) * len(before) / len(now)
    chance = odds / (1 + odds)
    return 1 - chance[: len(now)], chance[len(now) :]


def _seen(rows: Known) -> Any:
    """Inputs and answers: what the model makes of the inputs sums up those that are not watched."""
    return np.column_stack([rows.inputs, rows.prediction])
