"""Ways to disturb rows: what sensors, joins, new branches and typing errors do to them."""

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
import pandas as pd

from trimtab.types import FeatureSet

Name = Literal["noise", "missing", "unseen", "extreme", "shuffled"]
Columns = tuple[str, ...]
Generator = np.random.Generator
SHARE = 0.1  # of a column's values
DEVIATIONS = 0.1  # standard deviations of noise
FAR = 100.0  # standard deviations from the mean: extreme
UNSEEN = "(never seen before)"
WORDS: dict[Name, str] = {
    "noise": f"numbers moved by {DEVIATIONS} standard deviations",
    "missing": "a tenth of the values missing",
    "unseen": "a tenth of the categories never seen before",
    "extreme": f"a tenth of the numbers {FAR:.0f} standard deviations away",
    "shuffled": "one column shuffled",
}


def columns(name: Name, features: FeatureSet) -> Columns:
    """Return the features that can be disturbed in this way."""
    if name in ("noise", "extreme"):
        return features.numeric
    return features.categorical + features.textual if name == "unseen" else features.features


def noisy(frame: pd.DataFrame, columns: Columns, random: Generator) -> pd.DataFrame:
    """Move every number a little."""
    moved = {}
    for name in columns:
        step = DEVIATIONS * _spread(frame[name])
        moved[name] = frame[name] + step * random.standard_normal(len(frame))
    return frame.assign(**moved)


def extreme(frame: pd.DataFrame, columns: Columns, random: Generator) -> pd.DataFrame:
    """Put some numbers far away, to either side."""
    moved = {}
    for name in columns:
        far = FAR * (_spread(frame[name]) or 1.0) * random.choice([-1.0, 1.0], len(frame))
        moved[name] = frame[name].mask(_chosen(frame, random), frame[name].mean() + far)
    return frame.assign(**moved)


def missing(frame: pd.DataFrame, columns: Columns, random: Generator) -> pd.DataFrame:
    """Take some values away."""
    return frame.assign(**{name: frame[name].mask(_chosen(frame, random)) for name in columns})


def unseen(frame: pd.DataFrame, columns: Columns, random: Generator) -> pd.DataFrame:
    """Replace some texts by one that no training has seen."""
    texts = {name: frame[name].astype("str").where(frame[name].notna()) for name in columns}
    return frame.assign(
        **{name: text.mask(_chosen(frame, random), UNSEEN) for name, text in texts.items()}
    )


def shuffled(frame: pd.DataFrame, column: str, random: Generator) -> pd.DataFrame:
    """Give every row another row's value of one column."""
    order = random.permutation(len(frame))
    return frame.assign(**{column: frame[column].array.take(order)})


DISTURBED: Mapping[Name, Callable[[pd.DataFrame, Columns, Generator], pd.DataFrame]] = {
    "noise": noisy,
    "missing": missing,
    "unseen": unseen,
    "extreme": extreme,
}


def _chosen(frame: pd.DataFrame, random: Generator) -> np.ndarray:
    chosen: np.ndarray = random.random(len(frame)) < SHARE
    return chosen


def _spread(values: pd.Series) -> float:
    spread = float(values.std())
    return spread if np.isfinite(spread) else 0.0
