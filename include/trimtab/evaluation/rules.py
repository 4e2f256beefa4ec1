"""The rules of the gate: each takes what was measured and says whether it passes, and why.

A rule never guesses: a number that is not there does not pass. ``guarded`` makes an exception
inside a rule a refusal that carries the rule's name.
"""

import logging
from collections.abc import Callable

import numpy as np

from trimtab.config.model import Task
from trimtab.errors import DependencyError
from trimtab.evaluation import words
from trimtab.evaluation.bootstrap import MIN_BLOCKS
from trimtab.types import Rule

log = logging.getLogger(__name__)


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
    return Rule(name="clean_code", passed=passed, reason=fact, about="record")


def enough_rows(rows: int, least: int) -> Rule:
    """Hold when there are too few rows to judge on."""
    missing = least - rows
    return Rule(
        name="enough_rows",
        passed=missing <= 0,
        value=rows,
        limit=least,
        decides="hold",
        about="rows",
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
        about="rows",
        reason="The hold-out rows have labels to tell apart."
        if passed
        else f"All {len(y):,} hold-out rows have the same label; "
        "rows of at least one other class are needed.",
    )


def enough_groups(groups: np.ndarray | None, column: str) -> Rule:
    """Hold when too few groups of rows are there to say how much groups differ."""
    found = 0 if groups is None else len(np.unique(groups.astype(str)))
    return Rule(
        name="enough_groups",
        passed=found >= MIN_BLOCKS,
        value=found,
        limit=MIN_BLOCKS,
        decides="hold",
        about="rows",
        reason=f"The hold-out rows are of {found:,} values of {column}, which are drawn as a "
        f"whole; at least {MIN_BLOCKS} say how much they differ.",
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
