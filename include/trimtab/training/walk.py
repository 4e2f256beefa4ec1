"""Walk-forward: how well the recipe of a model does on parts of its training rows it is not shown.

By time the folds expand: each fits everything before a moment and is judged on what follows. By
group every group is judged once, without its own rows; else every row is, by a seeded shuffle.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from trimtab.training.fit import Fitting, can_learn, fit, scores
from trimtab.training.registry import Estimator
from trimtab.training.split import Data, folds


@dataclass(frozen=True)
class Fold:
    """One fold: how many rows were fitted and judged, and where the judged ones begin."""

    fitted: int
    judged: int
    score: float
    begins: str | None = None  # by time: the moment of the first judged row


@dataclass(frozen=True)
class Walk:
    """The folds of a recipe, all judged by one metric."""

    metric: str
    folds: tuple[Fold, ...]

    @property
    def mean(self) -> float:
        """Mean score of the folds."""
        return float(np.mean([fold.score for fold in self.folds])) if self.folds else np.nan

    @property
    def spread(self) -> float:
        """Standard deviation of the folds' scores (n - 1); NaN for a single one."""
        scores = [fold.score for fold in self.folds]
        return float(np.std(scores, ddof=1)) if len(scores) > 1 else np.nan

    def numbers(self) -> dict[str, float]:
        """Mean, spread and every fold's score by name; what is not finite is left out."""
        scores = {f"fold_{i}": fold.score for i, fold in enumerate(self.folds, 1)}
        found = {"mean": self.mean, "spread": self.spread, **scores}
        return {name: value for name, value in found.items() if np.isfinite(value)}

    def description(self) -> dict[str, Any]:
        """Everything, as it stands in the model's description (JSON: no NaN)."""
        folds = [{k: None if v != v else v for k, v in asdict(fold).items()} for fold in self.folds]
        return {"metric": self.metric, "numbers": self.numbers(), "folds": folds}

    def __str__(self) -> str:
        """One line for the log."""
        each = ", ".join(f"{fold.score:.4g}" for fold in self.folds)
        return f"{self.metric} {self.mean:.4g} +/- {self.spread:.2g} over {len(self.folds)}: {each}"


def walk(
    family: Estimator, params: dict[str, Any], how: Fitting, data: Data, metric: str, count: int
) -> Walk:
    """Fit and judge a recipe on ``count`` folds.

    They are fewer when the rows have too few moments or groups, or one class only at first.
    """
    done = []
    for fitted, judged in folds(data, count, how.train.seed):
        if not can_learn(how.task, data, fitted):
            continue
        model = fit(family, params, how, data, fitted)
        score = scores(model, data, judged, how.task, (metric,))[metric]
        begins = None if data.time is None else str(data.time[judged].min())
        done.append(Fold(len(fitted), len(judged), score, begins))
    return Walk(metric, tuple(done))
