"""Whose turn it is: one budget of trials and minutes over the studies of all families."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal
from zlib import crc32

import numpy as np
import optuna

from trimtab.config.model import Tune
from trimtab.training import studies
from trimtab.training.registry import Estimator
from trimtab.training.studies import Place

log = logging.getLogger(__name__)
_State = optuna.trial.TrialState
State = Literal["complete", "pruned", "failed", "lost", "running"]
STARTUP = 5  # random trials of a family before the sampler has an opinion


@dataclass(frozen=True)
class Trial:
    """One configuration that was tried. ``value`` of a pruned one is its last partial score."""

    family: str
    params: dict[str, Any]
    value: float | None
    seconds: float
    state: State = "complete"
    worker: int = 0
    turn: int = 0
    error: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Turn:
    """A trial this worker has to run."""

    family: Estimator
    params: dict[str, Any]
    asked: Any  # Optuna's trial
    number: int
    total: int


class Board:
    """The studies of one search, one per family, and what is left of their common budget.

    Any number of workers may share it: taking a trial happens under a lock, and what was tried
    is counted over all of them.

    Args:
        families: in the order of the model file.
        tune: the budget.
        place: where the studies live.
        name: of the search; a worker with the same name joins it.
        seed: makes the sampler repeat itself.
        known: parameters by family that are tried right after the defaults.
        now: seconds on a clock that all workers share.
    """

    def __init__(
        self,
        families: Sequence[Estimator],
        tune: Tune,
        place: Place,
        *,
        name: str,
        seed: int,
        known: Mapping[str, Mapping[str, Any]],
        now: Callable[[], float],
    ) -> None:
        self.families, self.tune, self.place = families, tune, place
        self.name, self.seed, self.now = name, seed, now
        self.total = max(tune.trials, len(families))
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with place.lock(name):
            self.studies = {family.name: self._study(family, known) for family in families}
            first = self.studies[families[0].name]
            if "began" not in first.user_attrs:
                first.set_user_attr("began", now())
            self.began: float = first.user_attrs["began"]
        self._seen: dict[str, list[Any]] = {}

    def _study(self, family: Estimator, known: Mapping[str, Mapping[str, Any]]) -> Any:
        """Join the study of a family, or make it and queue its defaults and what is known."""
        patience = optuna.pruners.MedianPruner(n_startup_trials=STARTUP - 1)
        study = optuna.create_study(
            storage=self.place.storage,
            study_name=f"{self.name}:{family.name}",
            direction="maximize",
            pruner=patience if self.tune.prune else optuna.pruners.NopPruner(),
            load_if_exists=True,
        )
        if "queued" not in study.user_attrs:
            first = [family.defaults, known.get(family.name)] if family.space else []
            for params in filter(None, first):
                study.enqueue_trial(dict(params), skip_if_exists=True)
            study.set_user_attr("queued", True)
        return study

    @property
    def minutes_left(self) -> float:
        """What is left of the budget of minutes; never below 0."""
        return max(0.0, self.tune.minutes - (self.now() - self.began) / 60)

    def take(self, worker: int = 0) -> Turn | None:
        """Take the next trial; None when nothing more may begin."""
        with self.place.lock(self.name):
            self._look(bury=True)
            family = self._next()
            return None if family is None else self._begin(family, worker)

    def busy(self) -> bool:
        """Whether a trial runs, here or elsewhere; those of dead workers are queued again."""
        with self.place.lock(self.name):
            self._look(bury=True)
        return any(self._of(family, _State.RUNNING) for family in self.families)

    def _look(self, *, bury: bool = False) -> None:
        """Read the trials of all families as they are now."""
        for study in self.studies.values() if bury else ():
            self.place.bury(study)
        self._seen = {
            name: study.get_trials(deepcopy=False) for name, study in self.studies.items()
        }

    def _next(self) -> Estimator | None:
        """Choose a family: defaults first, then the leader, every third time the runner-up."""
        fresh = [family for family in self.families if not self._begun(family)]
        if fresh:
            return fresh[0] if self._may(fresh[0]) else None
        used = self._used()
        if used >= self.total:
            return None
        open_ = [family for family in self.families if family.space or self._waiting(family)]
        ranked = sorted(open_, key=lambda f: (not self._waiting(f), -self._best(f)))
        if len(ranked) > 1 and used % 3 == 2 and not self._waiting(ranked[0]):
            ranked = [ranked[1], ranked[0], *ranked[2:]]
        return next((family for family in ranked if self._may(family)), None)

    def _begin(self, family: Estimator, worker: int) -> Turn:
        study = self.studies[family.name]
        study.sampler = optuna.samplers.TPESampler(
            seed=self._draw(family), n_startup_trials=STARTUP
        )
        asked = self.place.ask(study)
        turn = asked.user_attrs.get("turn") or 1 + self._last_turn()
        for name, value in {"turn": turn, "worker": worker, "begun": True}.items():
            asked.set_user_attr(name, value)
        params = family.space(asked) if family.space else dict(family.defaults)
        asked.set_user_attr("params", params)
        return Turn(family, params, asked, turn, self.total)

    def _draw(self, family: Estimator) -> int:
        """Seed of one trial: a worker that starts again, or a second one, draws nothing twice."""
        parts = [self.seed % 2**32, crc32(family.name.encode()), len(self._of(family))]
        return int(np.random.SeedSequence(parts).generate_state(1)[0])

    def complete(self, turn: Turn, value: float, seconds: float) -> None:
        """Record the score of a trial."""
        self._tell(turn, seconds, value=value)

    def pruned(self, turn: Turn, seconds: float) -> None:
        """Record that a trial was stopped because it fell behind."""
        self._tell(turn, seconds, state=_State.PRUNED)

    def failed(self, turn: Turn, seconds: float, error: str) -> None:
        """Record a trial that gave no score; its turn is used up."""
        self._tell(turn, seconds, error=error, state=_State.FAIL)

    def lost(self, turn: Turn) -> None:
        """Give a trial back that cannot be finished here."""
        study = self.studies[turn.family.name]
        studies.lost(study, study.get_trials(deepcopy=False)[turn.asked.number])

    def _tell(self, turn: Turn, seconds: float, error: str = "", **result: Any) -> None:
        study = self.studies[turn.family.name]
        try:
            turn.asked.set_user_attr("seconds", round(seconds, 3))
            if error:
                turn.asked.set_user_attr("error", error)
            study.tell(turn.asked, result.get("value"), state=result.get("state"))
        except (optuna.exceptions.UpdateFinishedTrialError, ValueError):
            log.warning("trial %d was given to somebody else meanwhile", turn.number)

    def trials(self) -> list[Trial]:
        """Return every trial that was begun, in that order, of all workers."""
        self._look()
        told = [
            _told(family, trial)
            for family in self.families
            for trial in self._of(family)
            if "turn" in trial.user_attrs and trial.state != _State.WAITING
        ]
        return sorted(told, key=lambda trial: trial.turn)

    def best(self) -> float:
        """Return the best score so far, -inf without any."""
        self._look()
        return self._lead()

    def _lead(self) -> float:
        return max(map(self._best, self.families))

    def _of(self, family: Estimator, *states: Any) -> list[Any]:
        seen = self._seen[family.name]
        return [trial for trial in seen if trial.state in states] if states else seen

    def _begun(self, family: Estimator) -> bool:
        return any(trial.state != _State.WAITING for trial in self._of(family))

    def _waiting(self, family: Estimator) -> bool:
        return bool(self._of(family, _State.WAITING))

    def _used(self) -> int:
        """Count trials that ran or run; one whose worker died counts when it is tried again."""
        every = [trial for family in self.families for trial in self._of(family)]
        begun: int = sum(trial.state != _State.WAITING for trial in every)
        return begun - sum(studies.FAILED in trial.user_attrs for trial in every)

    def _last_turn(self) -> int:
        every = [trial for family in self.families for trial in self._of(family)]
        return max((int(trial.user_attrs.get("turn", 0)) for trial in every), default=0)

    def _best(self, family: Estimator) -> float:
        done = self._of(family, _State.COMPLETE)
        return max((trial.value for trial in done), default=-np.inf)

    def _may(self, family: Estimator) -> bool:
        """Whether a trial as slow as the family's slowest ends in time; without any score, yes."""
        if not np.isfinite(self._lead()):
            return True
        spent = [trial.user_attrs.get("seconds", 0.0) for trial in self._of(family)]
        left = self.minutes_left
        return left > 0 and max(spent, default=0.0) <= left * 60


def _told(family: Estimator, trial: Any) -> Trial:
    known = trial.user_attrs
    states: dict[Any, State] = {
        _State.COMPLETE: "complete",
        _State.PRUNED: "pruned",
        _State.RUNNING: "running",
    }
    broken: State = "failed" if "error" in known else "lost"
    return Trial(
        family=family.name,
        params=known.get("params", dict(trial.params)),
        value=trial.value if trial.values else None,
        seconds=known.get("seconds", 0.0),
        state=states.get(trial.state, broken),
        worker=known.get("worker", 0),
        turn=known["turn"],
        error=known.get("error", ""),
    )
