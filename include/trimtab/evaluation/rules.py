"""The rules of the gate: each takes what was measured and says whether it passes, and why.

A rule never guesses: a number that is not there does not pass. ``guarded`` makes an exception
inside a rule a refusal that carries the rule's name.
"""

import logging
import math
from collections.abc import Callable, Sequence

import numpy as np

from trimtab.config.model import Task, VersusChampion
from trimtab.errors import DependencyError
from trimtab.evaluation import words
from trimtab.evaluation.bootstrap import Interval
from trimtab.evaluation.slices import Slice, Sliced
from trimtab.types import Rule

log = logging.getLogger(__name__)
MOST = 100  # times as many rows: beyond that more rows are no useful advice


def guarded(name: str, rule: Callable[[], Rule]) -> Rule:
    """Judge one rule; an exception refuses. A store that does not answer is worth a retry."""
    try:
        return rule()
    except DependencyError:
        raise
    except Exception as error:  # the gate fails closed, whatever went wrong
        log.exception("the rule %s could not be judged", name)
        reason = f"{name} could not be judged: {type(error).__name__}: {error}"
        return Rule(name=name, passed=False, reason=reason)


def clean_code(*, production: bool, commit: str | None, dirty: bool) -> Rule:
    """In production only what a commit says is promoted; elsewhere it is marked."""
    committed = bool(commit) and not dirty and not str(commit).endswith("+dirty")
    fact = "Its code and configuration are committed."
    if not committed:
        what = "uncommitted changes" if commit else "no commit: its project is in no repository"
        fact = f"It was made with {what}"
        fact += (
            "; commit, train again, and judge that version (production: true asks for it)."
            if production
            else "; an environment with production: true would refuse it."
        )
    passed = committed or not production
    return Rule(name="clean_code", passed=passed, reason=fact)


def enough_rows(rows: int, least: int) -> Rule:
    """Hold when there are too few rows to judge on."""
    missing = least - rows
    return Rule(
        name="enough_rows",
        passed=missing <= 0,
        value=rows,
        limit=least,
        decides="hold",
        reason=f"{rows:,} hold-out rows are enough (at least {least:,})."
        if missing <= 0
        else f"{missing:,} more labelled rows are needed: {rows:,} hold-out rows, "
        f"at least {least:,} decide.",
    )


def both_classes(y: np.ndarray, task: Task) -> Rule:
    """Hold when a classification's rows hold one class only."""
    found = len(np.unique(y))
    passed = task == "regression" or found >= 2
    return Rule(
        name="both_classes",
        passed=passed,
        value=found,
        limit=2,
        decides="hold",
        reason="The hold-out rows have labels to tell apart."
        if passed
        else f"All {len(y):,} hold-out rows have the same label; "
        "rows of at least one other class are needed.",
    )


def finite_predictions(who: str, prediction: np.ndarray, rows: int, task: Task) -> Rule:
    """Refuse a model that does not answer every row with a number that can be one."""
    dimensions = 2 if task == "multiclass" else 1
    name, who = f"{who}_answers", "linear baseline" if who == "linear" else who
    if prediction.ndim != dimensions or len(prediction) != rows:
        reason = f"The {who} answered with shape {prediction.shape} for {rows:,} rows."
        return Rule(name=name, passed=False, value=len(prediction), limit=rows, reason=reason)
    usable = np.isfinite(prediction)
    if task != "regression":
        usable &= (prediction >= 0) & (prediction <= 1)
    bad = int((~usable.reshape(rows, -1)).any(axis=1).sum())
    reason = f"The {who} answered all {rows:,} rows with usable numbers."
    if bad:
        kind = "numbers" if task == "regression" else "probabilities"
        reason = f"The {who} answered {bad:,} of {rows:,} rows with no usable {kind} (NaN, inf)."
    return Rule(name=name, passed=bad == 0, value=bad, limit=0, reason=reason)


def threshold(metric: str, value: float, least: float) -> Rule:
    """The absolute threshold of the model file (``gate.min``)."""
    passed = value >= least
    verb = "reaches" if passed else "is below"
    reason = (
        f"{words.metric(metric)} {words.number(value)} {verb} {words.number(least)} (gate.min)."
    )
    return Rule(name="threshold", passed=passed, value=value, limit=least, reason=reason)


def beats_dummy(metric: str, value: float, dummy: float, more_than: float) -> Rule:
    """The challenger knows more than a model that ignores its input."""
    limit = dummy + more_than
    passed = value > limit
    reason = (
        f"{words.metric(metric)} {words.number(value)} "
        f"{'beats' if passed else 'does not beat'} the dummy's {words.number(dummy)}"
        + (f" by more than {words.number(more_than)}." if more_than else ".")
    )
    return Rule(name="beats_dummy", passed=passed, value=value, limit=limit, reason=reason)


def keeps_up_with_linear(metric: str, difference: Interval, margin: float) -> Rule:
    """The challenger is no worse than the simple model, give or take the margin."""
    passed = difference.estimate >= -margin
    reason = (
        f"{words.metric(metric)} differs from the linear baseline by "
        f"{words.signed(difference.estimate)} "
        f"({words.between(difference.low, difference.high, sign=True)}); "
        f"at least {words.number(-margin)} is asked. "
        + ("" if passed else "Serve the simpler model, or train the candidate longer.")
    ).strip()
    return Rule(
        name="linear_baseline",
        passed=passed,
        value=difference.estimate,
        limit=-margin,
        reason=reason,
    )


def versus_champion(
    metric: str, difference: Interval, spec: VersusChampion, *, rows: int, champion: int
) -> Rule:
    """Compare on the same rows: superior asks for proof of gain, non_inferior of no loss.

    Superior: the whole interval is above 0 and the gain is at least the margin. Non-inferior: the
    whole interval is above minus the margin. What is not refuted but not proven either holds.
    """
    superior = spec.mode == "superior"
    bound = 0.0 if superior else -spec.margin
    least = spec.margin if superior else -spec.margin
    proven = difference.low > bound and difference.estimate >= least
    hopeless = not (difference.estimate >= least and difference.high > bound)
    asked = (
        f"a gain of at least {words.number(spec.margin)} and an interval above 0"
        if superior
        else f"an interval above {words.number(-spec.margin)}"
    )
    mode = "superior" if superior else "non-inferior"
    fact = (
        f"{words.metric(metric)} differs from champion version {champion} by "
        f"{words.signed(difference.estimate)} ({words.percent(spec.confidence)} interval "
        f"{words.between(difference.low, difference.high, sign=True)}, paired on {rows:,} rows); "
        f"{mode} asks for {asked}."
    )
    if not proven and not hopeless:
        fact += f" {_more_rows(difference, bound, rows)}"
    return Rule(
        name="versus_champion",
        passed=proven,
        value=difference.low,
        limit=bound,
        decides="reject" if hopeless else "hold",
        reason=fact,
    )


def _more_rows(difference: Interval, bound: float, rows: int) -> str:
    """Say how many rows would decide it: an interval narrows with the root of the rows."""
    distance = difference.estimate - bound
    if not math.isfinite(difference.low) or distance <= 0:
        return "The interval cannot be computed on these rows."
    needed = math.ceil(rows * ((difference.estimate - difference.low) / distance) ** 2)
    if needed > MOST * rows:
        return f"More than {MOST} times as many rows would be needed to decide this."
    return f"About {needed - rows:,} more labelled rows would decide this, if the difference stays."


def slices_measured(sliced: Sliced, columns: Sequence[str]) -> Rule:
    """Say how many slices there are to judge, and how many are too small."""
    return Rule(
        name="slices",
        passed=True,
        value=len(sliced.slices),
        reason=f"{len(sliced.slices)} slices of {', '.join(columns)} were measured; "
        f"{sliced.skipped} with {sliced.skipped_rows:,} rows are too small (gate.slice_min_rows).",
    )


def slice_floors(metric: str, sliced: Sliced, floor: float) -> Rule:
    """No part of the data may be served worse than the floor."""
    low = [part for part in sliced.slices if not part.metric >= floor]
    worst = min((part.metric for part in sliced.slices), default=math.nan)
    reason = f"{_counted(sliced)}: none is below {words.number(floor)} (gate.slice_floor)."
    if low:
        names = "; ".join(f"{_name(part)} {words.number(part.metric)}" for part in low)
        reason = f"{words.metric(metric)} is below {words.number(floor)} in {names}."
    return Rule(name="slice_floor", passed=not low, value=worst, limit=floor, reason=reason)


def slice_regressions(metric: str, sliced: Sliced, most: float, champion: int) -> Rule:
    """No part of the data may lose more than ``most``, beyond what chance explains."""
    compared = [part for part in sliced.slices if part.difference is not None]
    worse = [part for part in compared if _regressed(part, most)]
    worst = min((p.difference.estimate for p in compared if p.difference), default=None)
    reason = (
        f"{_counted(sliced)}: none lost more than {words.number(most)} against version {champion}."
    )
    if worse:
        names = "; ".join(f"{_name(p)} {_loss(p)}" for p in worse)
        reason = (
            f"{words.metric(metric)} fell by more than {words.number(most)} against champion "
            f"version {champion} in {names}."
        )
    return Rule(name="slice_regression", passed=not worse, value=worst, limit=-most, reason=reason)


def _regressed(part: Slice, most: float) -> bool:
    difference = part.difference
    return difference is not None and difference.high < 0 and difference.estimate < -most


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
