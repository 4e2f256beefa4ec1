"""Rules of how a version runs: it answers as recorded, and costs about what the last ones did."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trimtab.config.model import Growth
from trimtab.types import Rule

SERVES = "serves_as_recorded"
LAST = 5  # versions whose median is the measure


@dataclass(frozen=True)
class Cost:
    """One thing that is measured. Below ``unfelt`` a median counts as that much."""

    name: str
    unfelt: float
    unit: float  # divide by it to show a value
    text: str


# A few megabytes or microseconds more are many times as much, and nobody feels them.
COSTS = (
    Cost("size", 10e6, 1e6, "{:,.1f} MB in its file"),
    Cost("latency", 0.1, 1.0, "{:.3g} ms a row in a batch"),
    Cost("memory", 50e6, 1e6, "{:,.0f} MB of memory"),
)


def answers(rows: int, difference: float, rounding: float, seconds: float) -> Rule:
    """The packaged model gives the answers that were recorded when it was made."""
    passed = difference <= rounding
    if passed:
        reason = (
            f"A fresh process loaded it and answered {rows:,} recorded rows as recorded "
            f"({seconds:.1f} s)."
        )
    elif math.isfinite(difference):
        reason = (
            f"A fresh process answered {rows:,} recorded rows differently, by up to "
            f"{difference:.3g}: the libraries, the user's module or the files are other than at "
            "the training. Restore them, or train again."
        )
    else:
        reason = (
            f"The answers of a fresh process to {rows:,} recorded rows cannot be compared with "
            "the recorded ones: they are NaN elsewhere, or of other classes. Train again."
        )
    value = difference if math.isfinite(difference) else None
    return Rule(
        name=SERVES, passed=passed, value=value, limit=rounding, reason=reason, about="operation"
    )


def whole(changed: Sequence[str], files: int) -> Rule:
    """Every file of the version is what the ledger says."""
    reason = f"All {files} files are as the ledger says."
    if changed:
        reason = f"{', '.join(changed)}: missing, or not what the ledger says; restore the file(s)."
    return Rule(name=SERVES, passed=not changed, reason=reason, about="operation")


def unanswered(why: str) -> Rule:
    """No fresh process could load it and get its answers."""
    return Rule(name=SERVES, passed=False, reason=f"It cannot serve: {why}.", about="operation")


def growth(
    measured: Mapping[str, float], earlier: Sequence[Mapping[str, float]], most: Growth
) -> tuple[Rule, ...]:
    """Judge what a version costs against the median of ``earlier`` versions that passed."""
    return tuple(_grown(cost, measured, earlier, getattr(most, cost.name)) for cost in COSTS)


def _grown(
    cost: Cost, measured: Mapping[str, float], earlier: Sequence[Mapping[str, float]], most: float
) -> Rule:
    value = measured[cost.name]
    before = [numbers[cost.name] for numbers in earlier if math.isfinite(numbers[cost.name])]
    limit = most * max(statistics.median(before), cost.unfelt) if before else None
    passed = math.isfinite(value) and (limit is None or value <= limit)
    return Rule(
        name=cost.name,
        passed=passed,
        value=value if math.isfinite(value) else None,
        limit=limit,
        reason=_told(cost, value, before, limit, most),
        about="operation",
    )


def _told(
    cost: Cost, value: float, before: Sequence[float], limit: float | None, most: float
) -> str:
    took = f"It takes {cost.text.format(value / cost.unit)}"
    if limit is None:
        return f"{took}; no version before it passed the gate, so there is nothing to compare with."
    median, bound = (
        cost.text.format(number / cost.unit) for number in (statistics.median(before), limit)
    )
    took += f"; the last {len(before)} that passed took {median} (median)"
    if value <= limit:
        return f"{took}, and up to {bound} is allowed."
    return (
        f"{took}. More than {bound} is refused (gate.growth.{cost.name}: {most:g}); "
        "train a smaller model, or raise it."
    )
