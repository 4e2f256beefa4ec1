"""What the pattern of alarms most likely means, and what is to be done about it. Pure.

The rules stand in the order in which they are asked; the first that fits explains the window.
What is wrong at the source comes first, since it makes every other number of the window wrong.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from trimtab.config import ModelSpec
from trimtab.monitoring import faults, gain, labels
from trimtab.monitoring.budget import large
from trimtab.monitoring.history import History, Training
from trimtab.monitoring.pattern import Pattern
from trimtab.watch import Action, Cause, Finding, Observation, Severity, Signal, Triage

_SEVERITY: dict[Action, Severity] = {
    "nothing": "info",
    "watch": "info",
    "wait": "warning",
    "recalibrate": "warning",
    "retrain": "warning",
    "quarantine": "error",
    "roll_back": "error",
    "escalate": "error",
}
RANKS = ("roc_auc", "average_precision")  # metrics of nothing but the order of the answers
_OF_THE_FILE = ("volume", "gap", "age")  # they are known of a file of any size
_INPUTS: tuple[Signal, ...] = ("data", "joint", "prediction", "attribution", "quality")


@dataclass(frozen=True)
class Verdict:
    """What a rule says."""

    cause: Cause
    action: Action
    reason: str
    evidence: tuple[str, ...] = ()
    since: str = ""
    helps_from: datetime | None = None
    to_version: int | None = None


def triage(history: History, spec: ModelSpec, now: datetime | None) -> Triage:
    """Explain the newest window by the first rule that fits."""
    pattern = Pattern(history, spec, now)
    found = next(verdict for rule in RULES if (verdict := rule(pattern)))
    window = pattern.window
    return Triage(
        model=window.model,
        version=window.version,
        key=history.newest.key,
        partition=window.partition,
        cause=found.cause,
        action=found.action,
        severity=_severity(pattern, found),
        reason=found.reason,
        evidence=found.evidence,
        since=found.since or window.partition,
        helps_from=found.helps_from,
        to_version=found.to_version,
        at=now,
        upto=history.upto,
    )


def upstream_fault(pattern: Pattern) -> Verdict | None:
    """The source is broken: what comes from it must neither be believed nor learnt from."""
    right = faults.known(pattern.history, pattern.spec.monitor)
    found = faults.of(pattern.window, pattern.spec.monitor)
    wrong = [fault for fault in found if fault.identity not in right]
    if not wrong or pattern.later:
        return None
    told = "; ".join(fault.words for fault in wrong[:3])
    more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
    reason = f"{told}{more}. That is a fault at the source: keep these rows out, call the owner, "
    return Verdict(
        "upstream_fault",
        "quarantine",
        f"{reason}and do not retrain on them",
        tuple(fault.finding for fault in wrong),
    )


def explained(pattern: Pattern) -> Verdict | None:
    """Labels of a file that was faulty say nothing about the model."""
    if pattern.window.sha256 not in pattern.faulty:
        return None
    return Verdict(
        "upstream_fault",
        "nothing",
        "the rows came from a faulty source, so that their labels do not judge the model",
    )


def bad_champion(pattern: Pattern) -> Verdict | None:
    """A fresh champion does worse than its predecessor on the very same new rows."""
    k, n = pattern.spec.monitor.persistence("performance")
    champions = pattern.history.champions
    if not champions or champions[-1].version != pattern.window.version:
        return None  # somebody else serves by now
    compared = [w for w in pattern.sound if _against(w)]
    worse = [w for w in compared[-n:] if any(f.status == "moved" for f in _against(w))]
    now = [f for f in _against(pattern.window) if f.status == "moved"]
    if not now or len(worse) < k:
        return None
    finding, auto = now[0], pattern.spec.monitor.rollback == "auto"
    how = "the model file lets it be rolled back" if auto else "a person decides on rolling it back"
    return Verdict(
        "bad_champion",
        "roll_back",
        f"version {pattern.window.version} does worse than version {finding.against} on the same "
        f"new rows ({finding.note}); {how}",
        tuple(f.name for f in now),
        worse[0].partition,
        to_version=finding.against,
    )


def loss(pattern: Pattern) -> Verdict | None:
    """The model does worse than its gate promised, or errs more on the same inputs."""
    loud = pattern.loud("performance", "concept")
    lost = [f for f in pattern.moved("performance", "concept") if f.against is None]
    if not loud or not lost or _only_calibration(pattern):
        return None
    first = pattern.first(loud)
    evidence, since = tuple(f.name for f in lost), first.partition
    told = "; ".join(f.note or f.name for f in lost[:2])
    if vain := _given_up(pattern):
        names = ", ".join(str(training.version) for training in vain)
        return Verdict(
            "no_gain",
            "escalate",
            f"{told}. {len(vain)} retrainings (versions {names}) have brought no gain: it takes "
            "other features or another type of model, not more data",
            (*evidence, *(f"version {training.version}" for training in vain)),
            since,
        )
    inputs = pattern.moved("data", "joint")
    if pattern.moved("concept") or not (inputs or _same_inputs_hold(pattern)):
        why = "the same inputs lead to other outcomes than they did"
        told = f"{told}: {why}; retrain on the rows since then"
        return Verdict("concept_drift", "retrain", told, evidence, since, helps_from=first.since)
    names = ", ".join(dict.fromkeys(f.column or f.signal for f in inputs[:3]))
    where = (
        f"where the inputs have moved ({names})"
        if inputs
        else ("on rows that are harder to tell: the same inputs are answered as well as before")
    )
    told = f"{told}, {where}; retrain with the new rows"
    evidence += tuple(f.name for f in inputs)
    return Verdict("performance_loss", "retrain", told, evidence, since)


def miscalibration(pattern: Pattern) -> Verdict | None:
    """What it says does not happen as often as it says, yet the order of its answers holds."""
    loud = pattern.loud("calibration")
    if not loud or not _order_holds(pattern):
        return None
    moved, first = pattern.moved("calibration"), pattern.first(loud)
    auto = pattern.spec.monitor.recalibrate == "auto"
    how = "the model file lets it be recalibrated" if auto else "recalibrate it"
    told = "; ".join(f.note or f.name for f in moved)
    return Verdict(
        "miscalibration",
        "recalibrate",
        f"{told}. The order of its answers still holds; {how}",
        tuple(f.name for f in moved),
        first.partition,
        helps_from=first.since,
    )


def unfair(pattern: Pattern) -> Verdict | None:
    """Groups are treated too differently: that is for a person."""
    return _person(pattern, "fairness", "unfair", "a person has to look at the groups")


def off_target(pattern: Pattern) -> Verdict | None:
    """A number of the business is beyond its limit and nothing above explains it."""
    return _person(pattern, "kpi", "off_target", "no number of the model explains it")


def service_fault(pattern: Pattern) -> Verdict | None:
    """Requests are slow, fail, or do not come."""
    return _person(pattern, "service", "service_fault", "the service needs a look, not the model")


def label_delay(pattern: Pattern) -> Verdict | None:
    """The truth is due and missing: nothing is known, and nothing can be learnt, before it is."""
    if pattern.later:
        return None
    spec = pattern.spec
    missing = labels.late(pattern.history, spec.monitor, spec.target.delay)
    if not missing:
        return None
    guess = pattern.moved("estimated")
    worse = f"; meanwhile {guess[0].note or guess[0].name}" if guess else ""
    return Verdict(
        "label_delay",
        "wait",
        f"labels of {len(missing)} windows since {missing[0].partition} are due and missing"
        f"{worse}. Wait for them, and ask whoever delivers them",
        tuple(f.name for f in guess),
        missing[0].partition,
    )


def covariate_shift(pattern: Pattern) -> Verdict | None:
    """The inputs have moved; the model does its work all the same, as far as is known."""
    loud = pattern.loud(*_INPUTS, "estimated")
    if not loud:
        return None
    first = pattern.first(loud)
    moved = pattern.moved(*_INPUTS, "estimated")
    names = ", ".join(dict.fromkeys(f.column or f.signal for f in moved[:3]))
    verdict = Verdict(
        "covariate_shift",
        "watch",
        "",
        tuple(f.name for f in moved),
        first.partition,
    )
    if guess := pattern.moved("estimated"):
        told = f"{guess[0].note or guess[0].name}; the labels will say whether that is so"
        return _said(verdict, f"the inputs have moved ({names}): {told}", "wait")
    known = _judged(pattern)
    if known is None:
        return _said(verdict, f"the inputs have moved ({names}); no label judges the model yet")
    if known.status == "moved":
        return _said(verdict, f"the inputs have moved ({names}); {known.note}: a loss if it lasts")
    return _said(verdict, f"the inputs have moved ({names}) without a loss: {known.note}")


def quiet(pattern: Pattern) -> Verdict:
    """Nothing has lasted; or nothing could be judged."""
    statuses = {f.status for f in pattern.window.findings if f.statistic not in _OF_THE_FILE}
    if statuses and not statuses & {"ok", "moved"}:
        few = "not_enough_data" in statuses
        told = "too few rows to judge anything" if few else "nothing could be computed"
        return Verdict("not_enough_data", "nothing", told)
    moved = pattern.moved(*get_args(Signal))
    if not moved:
        return Verdict("nothing", "nothing", "nothing has moved")
    names = ", ".join(f.name for f in moved[:3])
    return Verdict("nothing", "nothing", f"{names}: moved, but not in enough windows yet")


RULES: tuple[Callable[[Pattern], Verdict | None], ...] = (
    upstream_fault,
    explained,
    bad_champion,
    loss,
    miscalibration,
    unfair,
    off_target,
    label_delay,
    service_fault,
    covariate_shift,
    quiet,
)


def _against(window: Observation) -> list[Finding]:
    judged = [f for f in window.findings if f.status in ("ok", "moved")]
    return [f for f in judged if f.against is not None]


def _only_calibration(pattern: Pattern) -> bool:
    """Whether probabilities that are off explain the loss, since the order of answers holds."""
    ranked = any(f.statistic in RANKS and f.against is None for f in pattern.moved("performance"))
    return "calibration" in pattern.alarms and _order_holds(pattern) and not ranked


def _same_inputs_hold(pattern: Pattern) -> bool:
    """Whether the window's rows, weighed like those of the gate, show no loss that matters."""
    seen = [f for f in pattern.window.findings if f.signal == "concept" and f.status == "ok"]
    return bool(seen) and not any(large(f) for f in seen)


def _order_holds(pattern: Pattern) -> bool:
    """Whether the concept, which is judged by that order, has held in all of the last windows."""
    _, n = pattern.spec.monitor.persistence("calibration")
    seen = [f.status for o in pattern.sound[-n:] for f in o.findings if f.signal == "concept"]
    return "ok" in seen and "moved" not in seen


def _given_up(pattern: Pattern) -> tuple[Training, ...]:
    vain = gain.in_vain(pattern.history)
    return vain if len(vain) >= pattern.spec.retrain.give_up_after else ()


def _judged(pattern: Pattern) -> Finding | None:
    """The newest performance that could be judged, of the last windows of this version."""
    for window in reversed(pattern.sound[-3:]):
        for f in window.findings:
            judged = f.status in ("ok", "moved")
            if f.signal == "performance" and judged and f.against is None and f.slice is None:
                return f
    return None


def _person(pattern: Pattern, signal: Signal, cause: Cause, why: str) -> Verdict | None:
    loud = pattern.loud(signal)
    if not loud:
        return None
    moved = pattern.moved(signal)
    told = "; ".join(f.note or f.name for f in moved[:3])
    names = tuple(f.name for f in moved)
    return Verdict(cause, "escalate", f"{told}: {why}", names, loud[0].since)


def _said(verdict: Verdict, reason: str, action: Action = "watch") -> Verdict:
    return Verdict(verdict.cause, action, reason, verdict.evidence, verdict.since)


def _severity(pattern: Pattern, found: Verdict) -> Severity:
    """As the model file has it for one of the signals, else by what is to be done."""
    order: tuple[Severity, ...] = get_args(Severity)
    watched = [pattern.spec.monitor.watch(signal).severity for signal in pattern.alarms]
    said = [severity for severity in watched if severity]
    if said and found.action != "nothing":
        return max(said, key=order.index)
    return _SEVERITY[found.action]
