"""What becomes of a model's quality when its rows are disturbed. It may fall, but not fall over."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from trimtab.errors import DependencyError
from trimtab.evaluation import disturbances, words
from trimtab.evaluation.case import Ask, Case, Model
from trimtab.evaluation.disturbances import WORDS, Name
from trimtab.evaluation.weighted import score
from trimtab.ledger.chain import digest
from trimtab.types import Disturbance, Rule

PREFIX = "robustness_"
ROWS = 10_000  # hold-out rows that are disturbed at most


@dataclass(frozen=True)
class Trial:
    """Some hold-out rows, the model, and what it is worth on them undisturbed."""

    case: Case
    model: Model

    @cached_property
    def rows(self) -> np.ndarray:
        """Positions of the rows that are disturbed."""
        n = len(self.case.holdout)
        return np.sort(self._random("rows").permutation(n)[:ROWS])

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Their features; numbers as floats, so that any of them can be missing."""
        features = self.case.challenger.features
        frame = self.case.holdout.columns(features).iloc[self.rows]
        numbers = {n: pd.to_numeric(frame[n]).astype("float64") for n in features.numeric}
        return frame.assign(**numbers)

    @cached_property
    def undisturbed(self) -> float:
        """The primary metric of the rows as they are."""
        return self.worth(self.frame)

    def worth(self, frame: pd.DataFrame) -> float:
        """The primary metric of disturbed rows.

        Raises:
            ArithmeticError: the model did not answer every row with a number.
        """
        prediction = np.asarray(self.model.predict(frame), dtype=float)
        if len(prediction) != len(frame):
            raise ArithmeticError(f"{len(prediction):,} answers to {len(frame):,} rows")
        if not np.isfinite(prediction).all():
            bad = int((~np.isfinite(prediction.reshape(len(prediction), -1))).any(axis=1).sum())
            raise ArithmeticError(f"no number for {bad:,} of {len(frame):,} rows")
        y = self.case.holdout.y[self.rows]
        return score(self.case.primary, y, prediction, self.model.classes)

    def disturbed(self, name: Name) -> Mapping[str, Callable[[], pd.DataFrame]]:
        """The rows disturbed in one way, lazily: once, or once for every column shuffled."""
        features, random = self.case.challenger.features, self._random(name)
        if name == "shuffled":
            return {
                column: lambda column=column: disturbances.shuffled(self.frame, column, random)  # type: ignore[misc]
                for column in features.features
            }
        columns = disturbances.columns(name, features)
        made = disturbances.DISTURBED[name]
        return {"": lambda: made(self.frame, columns, random)} if columns else {}

    def _random(self, what: str) -> np.random.Generator:
        return np.random.default_rng(int(digest([self.case.seed, what])[:16], 16))


def ask(case: Case, model: Model, judge: Ask) -> list[Disturbance]:
    """Let every disturbance be judged; return what became of the metric."""
    trial, records = Trial(case, model), []

    def disturbed(name: Name) -> Rule:
        found, rule = disturb(trial, name)
        records.extend([found] if found else [])
        return rule

    for name in WORDS:
        judge(f"{PREFIX}{name}", lambda name=name: disturbed(name))  # type: ignore[misc]
    return records


def disturb(trial: Trial, name: Name) -> tuple[Disturbance | None, Rule]:
    """Disturb the rows in one way and judge what is left of the primary metric."""
    limit: float | None = getattr(trial.case.gate.robustness, name)
    values: dict[str, float] = {}
    for column, make in trial.disturbed(name).items():
        try:
            values[column] = trial.worth(make())
        except DependencyError:
            raise
        except Exception as error:  # a model may raise anything; that is the finding
            return _fell_over(name, column, limit, error)
    if not values:
        reason = f"No feature can have {WORDS[name]}."
        return None, Rule(name=f"{PREFIX}{name}", passed=True, reason=reason, about="robustness")
    worst = min(values, key=lambda column: np.nan_to_num(values[column], nan=-np.inf))
    change = values[worst] - trial.undisturbed
    found = Disturbance(
        name=name,
        column=worst or None,
        value=values[worst],
        change=change,
        limit=limit,
        passed=limit is None or change >= -limit,
    )
    return found, _rule(trial, found)


def _rule(trial: Trial, found: Disturbance) -> Rule:
    metric = words.metric(trial.case.primary)
    which = f" ({found.column}, which matters most)" if found.column else ""
    asked = "no limit is set"
    if found.limit is not None:
        asked = f"a fall of {words.number(found.limit)} is allowed"
    return Rule(
        name=f"{PREFIX}{found.name}",
        passed=found.passed,
        value=found.change,
        limit=None if found.limit is None else -found.limit,
        reason=f"With {WORDS[found.name]}{which}, {metric} changes by "
        f"{words.signed(found.change)} to {words.number(found.value)}; "
        f"{asked} (gate.robustness.{found.name}).",
        about="robustness",
    )


def _fell_over(
    name: Name, column: str, limit: float | None, error: Exception
) -> tuple[Disturbance, Rule]:
    nothing = float("nan")
    found = Disturbance(
        name=name, column=column or None, value=nothing, change=nothing, limit=limit, passed=False
    )
    which = f" ({column})" if column else ""
    reason = f"The challenger fell over with {WORDS[name]}{which}: {type(error).__name__}: {error}."
    return found, Rule(name=f"{PREFIX}{name}", passed=False, reason=reason, about="robustness")
