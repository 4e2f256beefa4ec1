"""The rule against leaks: no single feature may nearly decide the target.

Measured on a sample of all labelled rows of the feature set, training and hold-out alike: a column
that is filled afterwards may be so in the older rows only.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import polars as pl

from trimtab.association import MEASURES, TOO_GOOD, Kind, Labels, score
from trimtab.config.model import Task
from trimtab.evaluation import words
from trimtab.ledger.chain import digest
from trimtab.types import TARGET, FeatureSet, Rule

RULE = "leaks"
SAMPLE = 20_000  # rows: a leak shows in any sample, and forty columns take a second or two
_RARE = 10  # rows of the rarer class in a half; with fewer a perfect score may be chance
_MIN_ROWS = 40  # rows of a half, for numbers


def rule(lake: Path, features: FeatureSet, trusted: Sequence[str]) -> Rule:
    """Refuse features that nearly decide the target alone, by name, unless they are trusted."""
    rows = _sample(lake, features)
    labels = _labels(rows, features)
    if text := _too_few(labels):
        return Rule(name=RULE, passed=False, decides="hold", reason=text)
    scores = {name: score(rows[name], kind, labels) for name, kind in _kinds(features)}
    return judged(scores, features.task, trusted, rows.height)


def judged(scores: Mapping[str, float], task: Task, trusted: Sequence[str], rows: int) -> Rule:
    """Judge what every column scores alone."""
    limit = TOO_GOOD[task]
    told = dict(sorted(scores.items(), key=lambda item: -item[1]))
    suspects = {name: value for name, value in told.items() if not value < limit}
    blocked = {name: value for name, value in suspects.items() if name not in trusted}
    return Rule(
        name=RULE,
        passed=not blocked,
        value=max(told.values(), default=None),
        limit=limit,
        reason=" ".join(_sentences(told, suspects, blocked, task, rows)),
    )


def _sentences(
    told: Mapping[str, float],
    suspects: Mapping[str, float],
    blocked: Mapping[str, float],
    task: Task,
    rows: int,
) -> Iterator[str]:
    measure, limit = MEASURES[task], words.number(TOO_GOOD[task])
    how = f"measured on {rows:,} rows, each column alone"
    if blocked:
        names = ", ".join(f"{name} ({words.number(value)})" for name, value in blocked.items())
        yield (
            f"Leak suspected: {names} alone nearly decide{'s' * (len(blocked) == 1)} the target "
            f"({measure}, limit {limit}; {how}). Take what is only known afterwards out "
            "(known_after, consequence_of or features.exclude), or name it in features.trust."
        )
    elif not suspects:
        best = next(iter(told), None)
        strongest = f"; the strongest is {best} with {words.number(told[best])}" if best else ""
        yield f"No feature alone nearly decides the target ({measure}, limit {limit}{strongest})."
    if passed := {name: value for name, value in suspects.items() if name not in blocked}:
        names = ", ".join(f"{name} ({words.number(value)})" for name, value in passed.items())
        yield f"Trusted by the model file although it nearly decides the target alone: {names}."


def _sample(lake: Path, features: FeatureSet) -> pl.DataFrame:
    """Rows at random; of a rare class as many as of a common one, as far as there are."""
    names = [*features.features, TARGET, *([features.group] if features.group else [])]
    plan = pl.scan_parquet(lake / features.uri)
    target = plan.select(TARGET).collect()[TARGET]
    classes = [np.arange(target.len())]
    if features.task != "regression":
        classes = [target.eq(value).arg_true().to_numpy() for value in target.unique().sort()]
    random, most = np.random.default_rng(_seed(features)), SAMPLE // len(classes)
    taken = [random.permutation(rows)[:most] for rows in classes]
    index = pl.Series(np.sort(np.concatenate(taken)), dtype=pl.UInt32)
    mine = pl.col("_index").is_in(index.implode())
    return plan.with_row_index("_index").filter(mine).select(list(dict.fromkeys(names))).collect()


def _labels(rows: pl.DataFrame, features: FeatureSet) -> Labels:
    target = rows[TARGET]
    if features.task == "multiclass":
        target = target.cast(pl.String).rank("dense").cast(pl.Int32) - 1
    return Labels(target.to_numpy(), features.task, _halves(rows, features))


def _halves(rows: pl.DataFrame, features: FeatureSet) -> np.ndarray:
    """Rows to learn from: a half at random, whole groups where the set is split by group."""
    random = np.random.default_rng(_seed(features))
    if features.group is None:
        return random.random(rows.height) < 0.5
    groups = rows[features.group].cast(pl.String).fill_null("").rank("dense").to_numpy() - 1
    chosen = random.random(int(groups.max()) + 1) < 0.5
    return cast("np.ndarray", chosen[groups])


def _seed(features: FeatureSet) -> int:
    return int(digest(features.key)[:8], 16)


def _too_few(labels: Labels) -> str:
    """Say that there are too few rows to judge on; empty when there are enough."""
    for half in (labels.y[labels.learns], labels.y[~labels.learns]):
        if labels.task == "regression" and len(half) >= _MIN_ROWS:
            continue
        counts = np.unique(half, return_counts=True)[1]
        if labels.task == "regression" or len(counts) < 2 or len(half) - counts.max() < _RARE:
            return (
                "Too few rows to look for leaks: "
                f"each half needs {_RARE} rows beside the largest class, or {_MIN_ROWS} numbers."
            )
    return ""


def _kinds(features: FeatureSet) -> Iterator[tuple[str, Kind]]:
    """Every feature and how it is measured; free text counts by whole values, as a category."""
    for name in features.numeric:
        yield name, "numeric"
    for name in (*features.categorical, *features.textual):
        yield name, "categorical"
    for name in features.temporal:
        yield name, "temporal"
