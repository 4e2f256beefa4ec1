"""What a verdict measured, as plots; limits are those of its rules, not of today's model file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from trimtab.evaluation import words
from trimtab.evaluation.plot import Dot, Line, Plot, known
from trimtab.types import Disturbance, GateVerdict, GroupGap

MOST = 40  # rows of one plot

_GAPS = {
    "demographic_parity": ("Positive answers", "the rate of positive answers"),
    "equalized_odds": ("Equal chances", "the true or false positive rate"),
    "error": ("Errors", "the error"),
}
_GROUPS = {
    "demographic_parity": "rate of positive answers",
    "equalized_odds": "true positive rate",
    "error": "error",
}
_DISTURBED = {
    "noise": "Numbers moved a little",
    "missing": "A tenth of the values missing",
    "unseen": "A tenth of the categories never seen before",
    "extreme": "A tenth of the numbers extreme",
    "shuffled": "One column shuffled",
}


@dataclass(frozen=True)
class Panel:
    """A plot with its heading and a sentence."""

    title: str
    text: str
    plot: Plot
    passed: bool = True


def values(verdict: GateVerdict) -> Plot | None:
    """The challenger's interval beside the champion and the baselines."""
    if not known(verdict.value):
        return None
    low, high = verdict.interval
    dots = [Dot(f"Challenger, version {verdict.version}", verdict.value, low, high)]
    if verdict.champion_value is not None:
        dots.append(
            Dot(f"Champion, version {verdict.champion}", verdict.champion_value, tone="other")
        )
    dots += [
        Dot(f"{who.capitalize()} baseline", verdict.metrics[name], tone="faint")
        for who in ("linear", "dummy")
        if (name := f"{who}.{verdict.primary}") in verdict.metrics
    ]
    least = limit(verdict, "threshold")
    return Plot(tuple(dots), _at(least, f"at least {words.number(least)} is asked"))


def difference(verdict: GateVerdict) -> Plot | None:
    """Challenger minus champion, with zero and the bound that the interval must clear."""
    if verdict.difference is None:
        return None
    low, estimate, high = verdict.difference
    bound = limit(verdict, "versus_champion")
    lines = (
        Line(0.0, "no difference", "zero"),
        *_at(bound or None, f"the whole interval must be above {words.number(bound)}"),
    )
    return Plot((Dot("Challenger minus champion", estimate, low, high),), lines, sign=True)


def slices(verdict: GateVerdict) -> Plot | None:
    """Every judged slice: the challenger with its interval, the champion as a ring."""
    floor = limit(verdict, "slice_floor")
    dots = [
        Dot(
            f"{part['column']} = {part['value']}",
            part["metric"],
            low=part["interval"][0],
            high=part["interval"][1],
            other=part["champion"],
            note=f"{part['rows']:,} rows"
            + (", found by looking" if part.get("discovered") else ""),
            tone="bad" if _is_bad(verdict, part) else "main",
        )
        for part in verdict.slices
    ]
    return _fitted(dots, _at(floor, f"no slice below {words.number(floor)}")) if dots else None


def fairness(found: Sequence[GroupGap]) -> list[Panel]:
    """One panel a measure: how far apart the groups of every protected column are."""
    ordered = sorted(found, key=lambda gap: list(_GAPS).index(gap.measure))
    return [_gaps(measure, list(of)) for measure, of in groupby(ordered, lambda gap: gap.measure)]


def groups(found: Sequence[GroupGap]) -> list[Panel]:
    """One panel a protected column and measure: every group that was judged."""
    return [_groups(gap) for gap in found if gap.groups]


def robustness(found: Sequence[Disturbance], metric: str) -> Plot | None:
    """What became of the metric when the rows were disturbed, with the most it may fall."""
    dots = [
        Dot(
            _DISTURBED[each.name] + (f": {each.column}" if each.column else ""),
            each.change,
            limit=None if each.limit is None else -each.limit,
            note=f"{words.metric(metric)} {words.number(each.value)}",
            tone="main" if each.passed else "bad",
        )
        for each in found
    ]
    return Plot(tuple(dots), (Line(0.0, "no change", "zero"),), sign=True) if dots else None


def limit(verdict: GateVerdict, rule: str) -> float | None:
    """The limit a rule was judged by; None when there was none."""
    return next((found.limit for found in verdict.rules if found.name == rule), None)


def _is_bad(verdict: GateVerdict, part: Mapping[str, Any]) -> bool:
    """Whether a slice is beyond a limit that a rule refused for."""
    broken = {r.name: r.limit for r in verdict.rules if not r.passed and r.limit is not None}
    floor, most = broken.get("slice_floor"), broken.get("slice_regression")
    low = floor is not None and known(part["metric"]) and part["metric"] < floor
    change = part["difference"]
    fell = most is not None and change is not None and known(change[1]) and change[1] < most
    return low or (fell and change[2] < 0)


def _at(value: float | None, label: str) -> tuple[Line, ...]:
    return () if value is None else (Line(value, label),)


def _fitted(dots: list[Dot], lines: tuple[Line, ...] = ()) -> Plot:
    """All rows, or of very many the lowest ones."""
    shown = dots
    if len(dots) > MOST:
        shown = sorted(dots, key=lambda dot: (known(dot.value), dot.value or 0.0))
    return Plot(tuple(shown[:MOST]), lines, left_out=max(0, len(dots) - MOST))


def _gaps(measure: str, found: list[GroupGap]) -> Panel:
    title, what = _GAPS[measure]
    dots = tuple(
        Dot(
            gap.column,
            gap.gap,
            *gap.interval,
            note=f"{len(gap.groups)} groups",
            tone="main" if gap.passed else "bad",
        )
        for gap in found
    )
    most = next((gap.limit for gap in found if gap.limit is not None), None)
    asked = "no limit is set" if most is None else f"at most {words.number(most)} is asked"
    lines = (Line(0.0, "no gap", "zero"), *_at(most, asked))
    text = f"By how much {what} differs between the groups of a column; {asked}."
    return Panel(title, text, Plot(dots, lines), all(gap.passed for gap in found))


def _groups(gap: GroupGap) -> Panel:
    dots = [
        Dot(group, value, note=f"{gap.rows.get(group, 0):,} rows")
        for group, value in gap.groups.items()
    ]
    small = ", ".join(f"{group} ({rows:,} rows)" for group, rows in gap.skipped.items())
    text = f"Too small to judge: {small}." if small else ""
    return Panel(
        f"{gap.column}: {_GROUPS[gap.measure]}",
        text,
        replace(_fitted(dots), from_zero=True),
        gap.passed,
    )
