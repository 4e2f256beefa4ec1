"""Search over all candidate families under one budget; the winner is refitted on every row."""

import functools
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import optuna

from trimtab import metrics
from trimtab.errors import DataError, TrimtabError
from trimtab.training import registry, split
from trimtab.training.board import Board, Trial, Turn
from trimtab.training.fit import Fitting, learn, one_thread, predict, scores, uncalibrated
from trimtab.training.registry import Estimator
from trimtab.training.split import Data, Rows
from trimtab.training.studies import Memory, Place, reachable

log = logging.getLogger(__name__)
Progress = Callable[[str], None]
# A trial is looked at once before its full fit: when it has this share of its trees, on this many
# rows. Not on a share of the rows: what that costs is lost when the trial goes on, and a fifth of
# 50,000 rows takes boosting half the time of all. The first trees stay when the trial goes on.
FIRST_LOOK, LOOK_ROWS = 0.25, 10_000
POLL = 1.0  # seconds between two looks at trials of other workers


@dataclass(frozen=True)
class Found:
    """What the search found. ``probe`` is the winner as fitted for its trial, for figures.

    ``default_value`` is the best score of all defaults: what there was without a search.
    """

    family: str
    params: dict[str, Any]
    value: float
    default_value: float
    trials: tuple[Trial, ...]
    probe: Any
    validation: Rows

    @property
    def gain(self) -> float:
        """What the search has brought over the best defaults; NaN when none gave a score."""
        return self.value - self.default_value

    def __str__(self) -> str:
        """Say in a line what the search has brought."""
        stopped = sum(trial.state == "pruned" for trial in self.trials)
        return (
            f"{self.family} wins with {self.value:.4g}, {self.gain:+.4g} over the best defaults, "
            f"after {len(self.trials)} trial(s), {stopped} of them stopped early"
        )


@dataclass
class Search:
    """The search of one training: every trial fits a sample and is judged on newer rows.

    Searches of one ``name`` in one ``place`` are one search: each takes trials until their common
    budget is used. ``known`` are parameters by family that are tried right after the defaults;
    ``now`` is a clock in seconds that all of them share.
    """

    data: Data
    how: Fitting
    metric: str
    validation: float
    progress: Progress = lambda text: None
    place: Place = field(default_factory=Memory)
    name: str = "search"
    worker: int = 0
    known: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    now: Callable[[], float] = time.monotonic
    margin: float = 0.0  # of the metric: what trees must be better by than a linear model

    def __post_init__(self) -> None:
        seed, most = self.how.train.seed, self.how.train.tune.sample
        rows, judges = split.validation_tail(self.data, self.validation, seed)
        self.fit_rows = split.sample(rows, most, seed)
        self._judges = split.sample(judges, most, seed)
        self._prepared: dict[str, tuple[Any, Any, Any]] = {}
        self._probes: dict[int, Any] = {}  # the best model of this worker, by its turn

    def work(self) -> int:
        """Run trials until the common budget is used; return how many it were.

        Defaults of every family come first, also past the budget of trials; then the leader twice
        for once the runner-up. No trial begins that would, by the family's slowest so far, end
        after the budget of minutes, unless none has given a score yet.

        Raises:
            DependencyError: the database of a shared search does not answer.
        """
        count = 0
        with reachable():
            while (turn := self.board.take(self.worker)) is not None:
                self._try(turn)
                count += 1
        return count

    def run(self) -> Found:
        """Work until nothing is left, also of what other workers began; return the outcome.

        Raises:
            DataError: no trial gave a score.
            DependencyError: the database of a shared search does not answer.
        """
        with reachable():
            self.work()
            while self.board.busy():
                time.sleep(POLL)
                self.work()
            found = self._found()
        self.progress(str(found))
        return found

    @functools.cached_property
    def board(self) -> Board:
        """The studies of this search and what is left of the budget."""
        train = self.how.train
        return Board(
            [registry.get(name, self.how.task) for name in dict.fromkeys(train.families)],
            train.tune,
            self.place,
            name=self.name,
            seed=train.seed,
            known=self.known,
            now=self.now,
        )

    def _try(self, turn: Turn) -> None:
        began = time.monotonic()
        spent = functools.partial(_since, began)
        try:
            with self.place.alive(turn.asked):
                value, model = self._measured(turn)
        except optuna.TrialPruned:
            self.board.pruned(turn, spent())
            self._tell(turn, "stopped early")
        except (TrimtabError, optuna.exceptions.OptunaError):
            self.board.lost(turn)
            raise
        except Exception as error:  # whatever an estimator raises for odd parameters
            log.warning("trial %d failed", turn.number, exc_info=True)
            self.board.failed(turn, spent(), f"{type(error).__name__}: {error}")
            self._tell(turn, f"failed: {type(error).__name__}: {error}")
        except BaseException:  # interrupted: somebody else may take it at once
            self.board.lost(turn)
            raise
        else:
            self._scored(turn, value, model, spent())

    def _scored(self, turn: Turn, value: float, model: Any, seconds: float) -> None:
        if not np.isfinite(value):
            self.board.failed(turn, seconds, f"{self.metric} is {value}")
        else:
            if value > self.board.best():
                self._probes = {turn.number: model}
            self.board.complete(turn, value, seconds)
        self._tell(turn, f"{value:.4g}")

    def _tell(self, turn: Turn, outcome: str) -> None:
        best, left = self.board.best(), round(self.board.minutes_left * 60)
        self.progress(
            f"trial {turn.number}/{turn.total} {turn.family.name} {self.metric} {outcome} "
            f"(best {best:.4g}, {left // 60}:{left % 60:02d} left)"
        )

    def _measured(self, turn: Turn) -> tuple[float, Any]:
        """Fit and score a trial; one that falls behind on fewer rows ends there.

        Raises:
            optuna.TrialPruned: it fell behind.
        """
        if turn.family.function is not None:
            model = self._whole(turn.family)
            return self.score(model, self._judges), model
        model = self._estimator(turn.family, turn.params)
        if self.how.train.tune.prune and turn.family.grows:
            self._look(turn, model)
        self._fit(turn.family, model)
        return self._judge(turn.family, model), self._pipeline(turn.family, model)

    def _look(self, turn: Turn, model: Any) -> None:
        """Score the trial with few of its trees, which it keeps when it goes on.

        Raises:
            optuna.TrialPruned: it fell behind.
        """
        grows = str(turn.family.grows)
        most = model.get_params(deep=False)[grows]
        model.set_params(warm_start=True, **{grows: max(1, round(most * FIRST_LOOK))})
        self._fit(turn.family, model)
        turn.asked.report(self._judge(turn.family, model, LOOK_ROWS), 0)
        if turn.asked.should_prune():
            raise optuna.TrialPruned
        model.set_params(**{grows: most})

    def _estimator(self, family: Estimator, params: dict[str, Any]) -> Any:
        return family.build(self.how.task, self.how.train.seed, **params)

    def _whole(self, family: Estimator) -> Any:
        """Let a training function fit the trial's rows: it takes them as they are."""
        return uncalibrated(family, {}, self.how, self.data, self.fit_rows)

    def _fit(self, family: Estimator, model: Any) -> None:
        """Fit a trial's estimator; trials of one style share what preprocessing made."""
        learn(family, model, self.how, self._made(family)[1], self.data, self.fit_rows)

    def _made(self, family: Estimator) -> tuple[Any, Any, Any]:
        if family.style not in self._prepared:
            step = self.how.preprocess(family.style)
            fitted = step.fit_transform(
                self.data.frame.iloc[self.fit_rows], self.data.y[self.fit_rows]
            )
            judged = step.transform(self.data.frame.iloc[self._judges])
            self._prepared[family.style] = (step, fitted, judged)
        return self._prepared[family.style]

    def _pipeline(self, family: Estimator, model: Any) -> Any:
        from sklearn.pipeline import Pipeline

        one_thread(model)
        if family.grows:
            model.set_params(warm_start=False)
        return Pipeline([("preprocess", self._made(family)[0]), ("estimator", model)])

    def _judge(self, family: Estimator, model: Any, most: int | None = None) -> float:
        """Score an estimator on the validation rows, or on ``most`` of them."""
        from sklearn.utils import _safe_indexing

        rows = np.arange(len(self._judges))
        few = split.sample(rows, most, self.how.train.seed)
        made = self._made(family)[2]
        made = made if len(few) == len(rows) else _safe_indexing(made, few)
        prediction = predict(model, made, self.how.task)
        classes = getattr(model, "classes_", None)
        return metrics.score(self.metric, self.data.y[self._judges[few]], prediction, classes)

    def score(self, model: Any, rows: Rows, metric: str | None = None) -> float:
        """Score a fitted model on rows of the training data."""
        (value,) = self.scores(model, rows, (metric or self.metric,)).values()
        return value

    def scores(self, model: Any, rows: Rows, names: Sequence[str]) -> dict[str, float]:
        """Score a fitted model by several metrics; it predicts once."""
        return scores(model, self.data, rows, self.how.task, names)

    def _found(self) -> Found:
        trials = self.board.trials()
        complete = [trial for trial in trials if trial.state == "complete"]
        if not complete:
            raise self._nothing(trials)
        winner = self._winner(complete)
        defaults = [t for t in complete if t.params == self._defaults(t.family)]
        return Found(
            family=winner.family,
            params=winner.params,
            value=_value(winner),
            default_value=max(map(_value, defaults), default=float("nan")),
            trials=tuple(trials),
            probe=self._probe(winner),
            validation=self._judges,
        )

    def _winner(self, complete: list[Trial]) -> Trial:
        """The best trial; a linear one that is within the margin of it is preferred.

        Such a difference is noise of the validation rows, and the gate asks the same of the winner
        on rows it has not seen: to keep up with a linear model, give or take the margin.
        """
        best = max(complete, key=_value)
        near = [trial for trial in complete if _value(trial) >= _value(best) - self.margin]
        simple = [t for t in near if registry.get(t.family, self.how.task).style == "linear"]
        return max(simple or [best], key=_value)

    def _defaults(self, family: str) -> dict[str, Any]:
        return dict(registry.get(family, self.how.task).defaults)

    def _probe(self, winner: Trial) -> Any:
        """The winner's fitted trial; another worker's is fitted again on the same rows."""
        if winner.turn not in self._probes:
            family = registry.get(winner.family, self.how.task)
            if family.function is not None:
                return self._whole(family)
            model = self._estimator(family, winner.params)
            self._fit(family, model)
            self._probes[winner.turn] = self._pipeline(family, model)
        return self._probes[winner.turn]

    def _nothing(self, trials: list[Trial]) -> DataError:
        errors = list(dict.fromkeys(f"{t.family}: {t.error}" for t in trials if t.error))
        return DataError(
            f"no trial gave a finite {self.metric}: {'; '.join(errors)}. When it is no number, the "
            f"{len(self._judges)} validation rows may hold one class only; more rows or a larger "
            "split.validation help"
        )


def _since(began: float) -> float:
    return time.monotonic() - began


def _value(trial: Trial) -> float:
    return -np.inf if trial.value is None else trial.value
