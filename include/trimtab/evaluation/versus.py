"""The rules that compare: the challenger against the champion and against a linear model."""

import math

from trimtab.config.model import VersusChampion
from trimtab.evaluation import words
from trimtab.evaluation.bootstrap import Interval
from trimtab.types import Rule

MOST = 100  # times as many rows: beyond that more rows are no useful advice
POWER = 0.8  # chance with which the rows that HOLD asks for decide


def linear(metric: str, difference: Interval, more_than: float, *, itself: bool) -> Rule:
    """A model that is not linear earns its complexity, or the simple one is to be served.

    Args:
        metric: the primary one.
        difference: challenger minus linear baseline, paired.
        more_than: what it must be better by (``gate.versus_linear``).
        itself: whether the challenger is of a linear family; then there is nothing to earn.
    """
    passed = itself or difference.estimate > more_than
    by = f" by more than {words.number(more_than)}" if more_than else ""
    told = (
        f"{words.metric(metric)} differs from the linear baseline by "
        f"{words.signed(difference.estimate)} "
        f"({words.between(difference.low, difference.high, sign=True)})"
    )
    if itself:
        reason = f"The challenger is a linear model itself: {told}."
    elif passed:
        reason = f"The challenger beats the linear baseline{by}: {told}."
    else:
        reason = f"The challenger does not beat the linear baseline{by}: {told}. "
        reason += "Serve the simpler model (train.candidates: [linear]), or train for longer."
    limit = None if itself else more_than
    return Rule(
        name="linear_baseline", passed=passed, value=difference.estimate, limit=limit, reason=reason
    )


def champion(
    metric: str, difference: Interval, spec: VersusChampion, *, rows: int, version: int
) -> Rule:
    """Compare on the same rows: superior asks for proof of gain, non_inferior of no loss.

    Superior: the whole interval is above 0 and the gain is at least the margin. Non-inferior: the
    whole interval is above minus the margin. What is not refuted but not proven either holds.
    """
    superior = spec.mode == "superior"
    bound, least = _limits(spec)
    proven = difference.low > bound and difference.estimate >= least
    hopeless = not (difference.estimate >= least and difference.high > bound)
    asked = (
        f"a gain of at least {words.number(spec.margin)} and an interval above 0"
        if superior
        else f"an interval above {words.number(-spec.margin)}"
    )
    mode = "superior" if superior else "non-inferior"
    fact = (
        f"{words.metric(metric)} differs from champion version {version} by "
        f"{words.signed(difference.estimate)} ({words.percent(spec.confidence)} interval "
        f"{words.between(difference.low, difference.high, sign=True)}, paired on {rows:,} rows); "
        f"{mode} asks for {asked}."
    )
    if not proven and not hopeless:
        fact += f" {_advice(more_rows(difference, spec, rows))}"
    return Rule(
        name="versus_champion",
        passed=proven,
        value=difference.low,
        limit=bound,
        decides="reject" if hopeless else "hold",
        reason=fact,
    )


def more_rows(difference: Interval, spec: VersusChampion, rows: int) -> int | None:
    """About how many more rows would decide in four of five cases, if the difference stays.

    The interval narrows with the root of the rows (two-sample formula for the power of a test).
    None: no number of rows, or one that is of no use.
    """
    from scipy import special

    distance = difference.estimate - _limits(spec)[0]
    if not math.isfinite(difference.low) or distance <= 0:
        return None
    surely = special.ndtri((1 + spec.confidence) / 2)
    width = (difference.estimate - difference.low) * (1 + special.ndtri(POWER) / surely)
    needed = math.ceil(rows * (width / distance) ** 2)
    return needed - rows if rows < needed <= MOST * rows else None


def _limits(spec: VersusChampion) -> tuple[float, float]:
    """What the whole interval, and what the estimate, has to reach."""
    if spec.mode == "superior":
        return 0.0, spec.margin
    return -spec.margin, -spec.margin


def _advice(more: int | None) -> str:
    if more is None:
        return f"No {MOST} times as many rows would be sure to decide this."
    return (
        f"About {more:,} more labelled hold-out rows would decide this in four of five cases, if "
        "the difference stays (split.holdout says how many are held out)."
    )
