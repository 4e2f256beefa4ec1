"""How far the groups of a protected column lie apart, and whether that is more than allowed."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from trimtab.config.model import Fairness
from trimtab.evaluation import words
from trimtab.evaluation.bootstrap import Interval, Resampling
from trimtab.evaluation.case import Answers, Ask, Case
from trimtab.evaluation.rates import Rates, rates, widest
from trimtab.evaluation.slices import groups
from trimtab.evaluation.versus import MOST
from trimtab.types import GroupGap, Rule

RULE = "fairness"
Measure = Literal["demographic_parity", "equalized_odds", "error"]
MEASURES: tuple[Measure, ...] = ("demographic_parity", "equalized_odds", "error")


@dataclass(frozen=True)
class Found:
    """A gap, as it is recorded, and in which rate it is."""

    gap: GroupGap
    rate: str
    confidence: float


def ask(case: Case, answers: Answers, resampling: Resampling, judge: Ask) -> list[GroupGap]:
    """Let the gaps of every protected column be judged; return them all."""
    found: list[Found] = []
    if (spec := case.gate.fairness) is None:
        return []

    def compared() -> Rule:
        found.extend(measure(case, spec, answers, resampling))
        return measured(found)

    judge(RULE, compared)
    rows = len(case.holdout)
    for each in found:
        if each.gap.limit is not None:
            judge(name(each.gap), lambda each=each: rule(each, rows))  # type: ignore[misc]
    return [each.gap for each in found]


def measure(case: Case, spec: Fairness, answers: Answers, resampling: Resampling) -> list[Found]:
    """Measure every protected column of the hold-out rows.

    Raises:
        KeyError: a protected column is not among the rows.
    """
    return [
        found for name in spec.columns for found in _column(name, case, spec, answers, resampling)
    ]


@dataclass(frozen=True)
class _Groups:
    """The values of a protected column; ``codes`` number each row's."""

    labels: list[str]
    codes: np.ndarray

    @classmethod
    def of(cls, case: Case, column: str) -> "_Groups":
        codes, labels = np.zeros(len(case.holdout), dtype=np.int64), []
        for code, (label, rows, _) in enumerate(groups(case.holdout.frame[column])):
            codes[rows] = code
            labels.append(label)
        return cls(labels, codes)

    @cached_property
    def rows(self) -> np.ndarray:
        """How many rows each has."""
        return np.bincount(self.codes, minlength=len(self.labels))


def _column(
    name: str, case: Case, spec: Fairness, answers: Answers, resampling: Resampling
) -> Iterator[Found]:
    there = _Groups.of(case, name)
    measured = rates(case.task, case.holdout.y, answers, there.codes, resampling)
    for kind in MEASURES:
        if kind in measured:
            yield _found(name, kind, spec, there, measured[kind], resampling.confidence)


def _found(
    column: str,
    kind: Measure,
    spec: Fairness,
    there: _Groups,
    every: Sequence[Rates],
    confidence: float,
) -> Found:
    limit: float | None = getattr(spec, kind)
    kept = [np.flatnonzero(each.known & (there.rows >= spec.min_rows)) for each in every]
    judged = [each.of(mine) for each, mine in zip(every, kept, strict=True)]
    interval, worst = Interval(math.nan, math.nan, math.nan), 0
    if any(len(each.value) > 1 for each in judged):
        interval, rate = widest(judged, confidence)
        worst = next(i for i, each in enumerate(judged) if each is rate)
    shown = _shown(worst, kind)
    rows = {label: int(n) for label, n in zip(there.labels, there.rows, strict=True)}
    values = {there.labels[i]: float(every[shown].value[i]) for i in kept[shown]}
    gap = GroupGap(
        column=column,
        measure=kind,
        gap=interval.estimate,
        interval=(interval.low, interval.high),
        limit=limit,
        groups=values,
        rows={label: n for label, n in rows.items() if label in values},
        skipped={label: n for label, n in rows.items() if label not in values},
        passed=limit is None or interval.estimate <= limit,
    )
    return Found(gap, every[worst].name, confidence)


def _shown(worst: int, kind: Measure) -> int:
    """The rate that is recorded group by group: of odds the true positive one of its class."""
    return worst - worst % 2 if kind == "equalized_odds" else worst


def measured(found: Sequence[Found]) -> Rule:
    """Say which groups there are to judge."""
    of = {each.gap.column: each.gap for each in found if each.gap.measure == "error"}
    told = []
    for name, gap in of.items():
        small = f", {len(gap.skipped)} too small to judge" if gap.skipped else ""
        told.append(f"{name} ({len(gap.groups)} groups{small})")
    reason = f"The groups of {', '.join(told)} were compared (gate.fairness)."
    return Rule(name=RULE, passed=True, value=len(of), reason=reason, about="fairness")


def name(gap: GroupGap) -> str:
    """Name the rule of a gap."""
    return f"{RULE}_{gap.column}_{gap.measure}"


def rule(found: Found, rows: int) -> Rule:
    """Refuse a gap that is above its limit beyond chance; hold one that may be chance."""
    gap = found.gap
    limit = math.nan if gap.limit is None else gap.limit
    low, high = gap.interval
    refused = low > limit
    reason = _sentence(found, limit, low, high)
    if not gap.passed and not refused:
        reason += _more(gap, rows)
    return Rule(
        name=name(gap),
        passed=gap.passed,
        value=None if math.isnan(gap.gap) else gap.gap,
        limit=gap.limit,
        decides="reject" if refused else "hold",
        reason=reason,
        about="fairness",
    )


def _sentence(found: Found, limit: float, low: float, high: float) -> str:
    gap, key = found.gap, f"gate.fairness.{found.gap.measure}"
    if math.isnan(gap.gap):
        return f"Fewer than two groups of {gap.column} have rows enough to compare ({key})."
    ends = _ends(found)
    return (
        f"The {found.rate} of the groups of {gap.column} differs by {words.number(gap.gap)}{ends} "
        f"({words.percent(found.confidence)} interval {words.between(low, high)}); "
        f"{words.number(limit)} is allowed ({key})."
    )


def _ends(found: Found) -> str:
    """Name the groups at both ends, where the recorded rate is the one with the gap."""
    values = found.gap.groups
    if len(values) < 2 or found.rate.startswith("false"):
        return ""
    first, last = max(values, key=lambda g: values[g]), min(values, key=lambda g: values[g])
    ends = (f"{name} {words.number(values[name])}" for name in (first, last))
    return f", {' against '.join(ends)}"


def _more(gap: GroupGap, rows: int) -> str:
    if math.isnan(gap.gap):
        few = "; ".join(f"{name} has {n:,}" for name, n in list(gap.skipped.items())[:5])
        return f" More labelled rows are needed: {few}." if few else " There is no other group."
    if (more := more_rows(gap, rows)) is None:
        return f" This may be chance: more than {MOST} times as many rows would be needed."
    return f" This may be chance: about {more:,} more labelled rows would decide it."


def more_rows(gap: GroupGap, rows: int) -> int | None:
    """Say how many rows more would decide: an interval narrows with the root of the rows."""
    if math.isnan(gap.gap) or gap.limit is None:
        return None
    times = ((gap.gap - gap.interval[0]) / (gap.gap - gap.limit)) ** 2
    return math.ceil(rows * times) - rows if times <= MOST else None
