"""Search over all candidate families under one budget; the winner is refitted on every row."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import optuna

from trimtab import metrics
from trimtab.errors import DataError
from trimtab.training import registry, split
from trimtab.training.fit import Fitting, estimate, fit, predict
from trimtab.training.registry import Estimator
from trimtab.training.split import Data, Rows

log = logging.getLogger(__name__)
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Trial:
    """One configuration that was tried."""

    family: str
    params: dict[str, Any]
    value: float
    seconds: float


@dataclass(frozen=True)
class Found:
    """What the search found. ``probe`` is the winner as fitted for its trial, for figures."""

    family: str
    params: dict[str, Any]
    value: float
    default_value: float
    trials: tuple[Trial, ...]
    probe: Any
    validation: Rows

    def best(self) -> dict[str, Trial]:
        """Return the best trial of every family."""
        return {t.family: t for t in sorted(self.trials, key=lambda t: t.value)}


@dataclass
class _Family:
    estimator: Estimator
    study: Any
    tried: list[Trial] = field(default_factory=list)

    @property
    def best(self) -> float:
        return max((trial.value for trial in self.tried), default=-np.inf)

    @property
    def open(self) -> bool:
        return self.estimator.space is not None or not self.tried


@dataclass
class Search:
    """The search of one training: every trial fits a sample and is judged on newer rows."""

    data: Data
    how: Fitting
    metric: str
    validation: float
    progress: Progress = lambda text: None

    def run(self) -> Found:
        """Try defaults of every family first, then the leader twice for once the runner-up.

        Every family gets its default trial, even past the budget of trials. No trial starts
        that would, by the family's slowest so far, end after the budget of minutes.
        """
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        seed, tune = self.how.train.seed, self.how.train.tune
        rows, judges = split.validation_tail(self.data, self.validation, seed)
        self.fit_rows = split.sample(rows, tune.sample, seed)
        self._judges = split.sample(judges, tune.sample, seed)
        self._prepared: dict[str, tuple[Any, Any]] = {}
        self._began, self._best, self._probe = time.monotonic(), -np.inf, None
        families = [self._family(name) for name in dict.fromkeys(self.how.train.families)]
        total = max(tune.trials, len(families))
        for number in range(total):
            family = self._next(families, number)
            if family is None or not self._in_time(family):
                break
            self._try(family, number + 1, total)
        return self._found(families)

    def _family(self, name: str) -> _Family:
        found = registry.get(name, self.how.task)
        sampler = optuna.samplers.TPESampler(seed=self.how.train.seed, n_startup_trials=5)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        if found.space:
            study.enqueue_trial(dict(found.defaults))
        return _Family(found, study)

    @staticmethod
    def _next(families: Sequence[_Family], number: int) -> _Family | None:
        if number < len(families):
            return families[number]
        ranked = sorted((f for f in families if f.open), key=lambda f: -f.best)
        if not ranked:
            return None
        return ranked[1] if len(ranked) > 1 and number % 3 == 2 else ranked[0]

    def _in_time(self, family: _Family) -> bool:
        slowest = max((trial.seconds for trial in family.tried), default=0.0)
        spent = time.monotonic() - self._began
        return not family.tried or spent + slowest <= self.how.train.tune.minutes * 60

    def _try(self, family: _Family, number: int, total: int) -> None:
        began, asked = time.monotonic(), family.study.ask()
        space, name = family.estimator.space, family.estimator.name
        params = space(asked) if space else dict(family.estimator.defaults)
        model = self._fitted(family.estimator, params)
        value = self.score(model, self._judges)
        family.study.tell(asked, value if np.isfinite(value) else -1e300)
        family.tried.append(Trial(name, params, value, time.monotonic() - began))
        if value > self._best:
            self._best, self._probe = value, model
        self.progress(
            f"trial {number}/{total} {name} {self.metric} {value:.4g} (best {self._best:.4g})"
        )

    def _fitted(self, family: Estimator, params: dict[str, Any]) -> Any:
        """Fit a trial; trials of one style share the preprocessing of their common rows."""
        from sklearn.pipeline import Pipeline

        if family.function is not None:
            return fit(family, params, self.how, self.data, self.fit_rows)
        y = self.data.y[self.fit_rows]
        if family.style not in self._prepared:
            step = self.how.preprocess(family.style)
            made = step.fit_transform(self.data.frame.iloc[self.fit_rows], y)
            self._prepared[family.style] = (step, made)
        step, made = self._prepared[family.style]
        model = estimate(family, params, self.how, made, self.data, self.fit_rows)
        return Pipeline([("preprocess", step), ("estimator", model)])

    def score(self, model: Any, rows: Rows, metric: str | None = None) -> float:
        """Score a fitted model on rows of the training data."""
        prediction = predict(model, self.data.frame.iloc[rows], self.how.task)
        classes = getattr(model, "classes_", None)
        return metrics.score(metric or self.metric, self.data.y[rows], prediction, classes)

    def _found(self, families: Sequence[_Family]) -> Found:
        finite = [f for f in families if np.isfinite(f.best)]
        if not finite:
            raise DataError(
                f"no trial gave a finite {self.metric}: the {len(self._judges)} validation rows "
                "may hold one class only; more rows or a larger split.validation help"
            )
        winner = max(finite, key=lambda f: f.best)
        trial = max(winner.tried, key=lambda t: t.value)
        return Found(
            family=winner.estimator.name,
            params=trial.params,
            value=trial.value,
            default_value=winner.tried[0].value,
            trials=tuple(trial for f in families for trial in f.tried),
            probe=self._probe,
            validation=self._judges,
        )
