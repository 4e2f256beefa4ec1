"""Rows that say the same as judged rows, under other keys: a leak that no key shows.

Two rows may say the same by chance, where columns have few values. How often that happens is seen
among the training rows themselves: the newest of them, as many as are judged, against the others.
Where it happens often, what a row says does not tell it from others, and only keys decide.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from trimtab.evaluation import fingerprints
from trimtab.types import ROLE, TARGET, FeatureSet

TELLING = 0.01  # share of rows with a twin by chance, up to which rows are told apart by content
ROOM = 3.0  # times as many as chance gives are still chance
SLACK = 0.001  # share of the judged rows: data hold a few doubles anyway


@dataclass(frozen=True)
class Copies:
    """How many judged rows have a twin among the trained ones, of how many, and by chance."""

    rows: int
    judged: int
    chance: float  # share of rows

    @property
    def too_many(self) -> bool:
        """Whether there are more than chance and a few doubles explain."""
        if self.chance > TELLING:
            return False
        return self.rows > math.ceil(self.judged * (ROOM * self.chance + SLACK))


def count(lake: Path, judged: FeatureSet, trained: FeatureSet) -> Copies:
    """Compare by the features both sets have, and the target."""
    shared = sorted({*judged.features} & {*trained.features})
    if not shared:
        return Copies(0, judged.holdout_rows, 1.0)
    names = [*shared, TARGET]
    ours = _prints(lake / judged.uri, "holdout", names)
    theirs = _prints(lake / trained.uri, "train", names)
    return Copies(fingerprints.twins(ours, theirs), len(ours), _chance(theirs, len(ours)))


def _prints(file: Path, role: str, names: list[str]) -> fingerprints.Prints:
    rows = pl.scan_parquet(file).filter(pl.col(ROLE) == role).select(names)
    return fingerprints.of(rows.collect(), names)


def _chance(trained: fingerprints.Prints, judged: int) -> float:
    """Share of the newest training rows that have a twin among the older ones."""
    newest = min(judged, len(trained) // 2)
    if newest == 0:
        return 1.0
    older, newer = np.split(trained, [len(trained) - newest])
    return fingerprints.twins(newer, older) / newest
