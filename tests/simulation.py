"""Simulated judgements: truth and answers whose real difference is known, through the whole gate.

Numbers are predicted and judged by mean absolute error, or chances by ROC AUC. ``days`` and
``groups`` give every model good and bad days (customers) of its own, so that its rows of one day
depend on each other, although over all days none is better than the other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp, pi, sqrt
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
import pandas as pd

from trimtab.config.model import Gate
from trimtab.evaluation.case import Case, Contender
from trimtab.evaluation.gate import judge
from trimtab.evaluation.holdout import Holdout
from trimtab.types import FeatureSet, GateVerdict, Rule

WHO = ("challenger", "champion", "dummy", "linear")
RECORD = Rule(name="unseen_rows", passed=True, reason="Simulated rows are new.")
AUC = 0.75  # of the champion, where chances are judged
PER_DAY, PER_GROUP = 28, 40


@dataclass(frozen=True)
class Answers:
    """A model whose answers are known beforehand."""

    said: np.ndarray
    classes: tuple[int, int] | None = None

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        return self.said[frame.index]


@dataclass(frozen=True)
class World:
    """``gain`` is the challenger's true advantage in units of the primary metric."""

    task: Literal["binary", "regression"] = "binary"
    rows: int = 1000
    gain: float = 0.0
    day_spread: float = 0.0  # how much models' skill varies by day
    group_spread: float = 0.0
    bad_part: str = ""  # value of the column ``part`` in which the challenger says the opposite

    @property
    def primary(self) -> str:
        return "roc_auc" if self.task == "binary" else "neg_mean_absolute_error"

    def case(self, seed: int, gate: dict[str, Any], *, naive: bool = False) -> Case:
        """One draw of the world; ``naive`` hides what rows belong together."""
        rng = np.random.default_rng(seed)
        day = np.sort(rng.integers(0, PER_DAY, self.rows))
        group = rng.integers(0, PER_GROUP, self.rows)
        y, said = self._chances(rng) if self.task == "binary" else self._numbers(rng, day, group)
        part = rng.choice(list("abcdefgh"), self.rows)
        said["challenger"] = np.where(
            part == self.bad_part, 1 - said["challenger"], said["challenger"]
        )
        times = np.datetime64("2026-01-01") + day.astype("timedelta64[D]")
        judged = Holdout(
            pd.DataFrame({"size": rng.normal(size=self.rows), "part": part}),
            y,
            times if self.day_spread and not naive else None,
            group if self.group_spread and not naive else None,
        )
        spec = Gate.model_validate({"primary": self.primary, "min_rows": 50, **gate})
        seen = {who: self._contender(who, said[who]) for who in WHO}
        return Case(spec, self.primary, self.task, judged, (RECORD,), (), **seen, seed=str(seed))

    def _contender(self, who: str, said: np.ndarray) -> Contender:
        features = FeatureSet(
            model="m",
            key="k",
            uri="",
            task=self.task,
            numeric=("size",),
            categorical=("part",),
            train_rows=1,
            holdout_rows=self.rows,
        )
        classes = (0, 1) if self.task == "binary" else None
        return Contender(who, WHO.index(who), features, lambda: Answers(said, classes))

    def _chances(self, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Scores of two classes a distance apart that gives the AUC asked for."""
        y = (rng.random(self.rows) < 0.4).astype(float)
        wanted = {"challenger": AUC + self.gain, "champion": AUC, "linear": AUC - 0.1}
        apart = {who: sqrt(2) * NormalDist().inv_cdf(auc) for who, auc in wanted.items()}
        raw = {who: d * y + rng.normal(size=self.rows) for who, d in apart.items()}
        said = {who: 1 / (1 + np.exp(-score)) for who, score in raw.items()}
        return y, {**said, "dummy": np.full(self.rows, 0.4)}

    def _numbers(
        self, rng: np.random.Generator, day: np.ndarray, group: np.ndarray
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Errors whose size is a matter of the model, the day and the group."""
        y = rng.normal(0, 5, self.rows)
        usual = sqrt(2 / pi) * exp((self.day_spread**2 + self.group_spread**2) / 2)

        def answers(size: float) -> np.ndarray:
            days = np.exp(self.day_spread * rng.normal(size=PER_DAY))[day]
            groups = np.exp(self.group_spread * rng.normal(size=PER_GROUP))[group]
            found: np.ndarray = y + size * days * groups * rng.normal(size=self.rows)
            return found

        said = {
            "challenger": answers(1 - self.gain / usual),
            "champion": answers(1.0),
            "linear": answers(3.0),
        }
        return y, {**said, "dummy": np.zeros(self.rows)}


def verdicts(
    world: World, seeds: Iterable[int], *, naive: bool = False, **versus: Any
) -> list[GateVerdict]:
    """Judge one draw for each seed; ``versus`` goes to ``gate.versus_champion``."""
    gate = {"versus_champion": {"resamples": 100, **versus}, "slice_min_rows": 50}
    return [judge(world.case(seed, gate, naive=naive)) for seed in seeds]


def promoted(found: list[GateVerdict]) -> float:
    """Share of the verdicts that let pass."""
    return sum(verdict.verdict == "PROMOTE" for verdict in found) / len(found)
