"""The rules of slices. Of many slices one looks bad by chance: each is judged among all of them.

A slice is refused when chance does not explain it: its p-value, from the bootstrap's standard error
and Student's t, is adjusted for the number of slices by Holm's method (Holm 1979, "A simple
sequentially rejective multiple test procedure"), which holds however slices overlap. So a version
without a bad slice is refused by any of these rules in at most ``1 - confidence`` of the cases.
"""

import math
from collections.abc import Callable, Sequence

from trimtab.evaluation import words
from trimtab.evaluation.slices import Slice, Sliced
from trimtab.types import Rule


def measured(sliced: Sliced, columns: Sequence[str], *, looked: bool) -> Rule:
    """Say how many slices there are to judge, and how many are too small."""
    found = sum(part.discovered for part in sliced.slices)
    told = []
    if columns:
        told.append(
            f"{len(sliced.slices) - found} slices of {', '.join(columns)} were measured; "
            f"{sliced.skipped} with {sliced.skipped_rows:,} rows are too small "
            "(gate.slice_min_rows)."
        )
    if looked:
        told.append(f"Looking for bad ones (gate.discover_slices) found {found} to judge.")
    return Rule(
        name="slices",
        passed=True,
        value=len(sliced.slices),
        reason=" ".join(told),
        about="slices",
    )


def floors(metric: str, sliced: Sliced, floor: float, confidence: float) -> Rule:
    """No part of the data may be served worse than the floor."""
    low = _refuted(sliced, lambda part: (part.metric - floor, part.interval.error), confidence)
    worst = min((part.metric for part in sliced.slices), default=math.nan)
    unsure = sum(part.metric < floor for part in sliced.slices) - len(low)
    reason = f"{_counted(sliced)}: none is below {words.number(floor)} (gate.slice_floor)"
    reason += f" beyond chance; {unsure} may be." if unsure else "."
    if low:
        names = "; ".join(f"{_name(part)} {words.number(part.metric)}" for part in low)
        reason = f"{words.metric(metric)} is below {words.number(floor)} in {names}."
    return Rule(
        name="slice_floor", passed=not low, value=worst, limit=floor, reason=reason, about="slices"
    )


def regressions(metric: str, sliced: Sliced, most: float, champion: int, confidence: float) -> Rule:
    """No part of the data may lose more than ``most``, beyond what chance explains."""
    lost = _refuted(sliced, _lost, confidence)
    worse = [part for part in lost if part.difference and part.difference.estimate < -most]
    worst = min((p.difference.estimate for p in sliced.slices if p.difference), default=None)
    reason = (
        f"{_counted(sliced)}: none lost more than {words.number(most)} against version {champion}"
        " beyond chance."
    )
    if worse:
        names = "; ".join(f"{_name(part)} {_loss(part)}" for part in worse)
        reason = (
            f"{words.metric(metric)} fell by more than {words.number(most)} against champion "
            f"version {champion} in {names}."
        )
    return Rule(
        name="slice_regression",
        passed=not worse,
        value=worst,
        limit=-most,
        reason=reason,
        about="slices",
    )


def holm(values: Sequence[float]) -> list[float]:
    """Adjust p-values, so that any false alarm among all of them is as rare as one's would be."""
    found, largest = [0.0] * len(values), 0.0
    for rank, index in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        largest = max(largest, min(1.0, (len(values) - rank) * values[index]))
        found[index] = largest
    return found


def _refuted(
    sliced: Sliced, shortfall: Callable[[Slice], tuple[float, float]], confidence: float
) -> list[Slice]:
    """Slices whose value is below 0 beyond chance, by ``shortfall``: value and its error."""
    from scipy import special

    found = [shortfall(part) for part in sliced.slices]
    scores = [
        value / error if error > 0 else math.copysign(math.inf, value) for value, error in found
    ]
    chances = holm([float(special.stdtr(sliced.clusters - 1, score)) for score in scores])
    return [
        part
        for part, (value, _), chance in zip(sliced.slices, found, chances, strict=True)
        if value < 0 and not chance > 1 - confidence
    ]


def _lost(part: Slice) -> tuple[float, float]:
    if part.difference is None:
        return 0.0, 1.0
    return part.difference.estimate, part.difference.error


def _name(part: Slice) -> str:
    return f"{part.column} = {part.value} ({part.rows:,} rows)"


def _loss(part: Slice) -> str:
    if part.difference is None:
        return ""
    low, estimate, high = part.difference.triple
    return f"by {words.signed(estimate)} ({words.between(low, high, sign=True)})"


def _counted(sliced: Sliced) -> str:
    skipped = f", {sliced.skipped} too small to judge" if sliced.skipped else ""
    return f"{len(sliced.slices)} slices judged{skipped}"
