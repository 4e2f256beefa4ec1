"""How monitoring speaks to people: verdicts, chances and numbers."""

import math

from trimtab.watch import Action, Cause, Finding, Observation, Signal, Status, Triage

SIGNALS: dict[Signal, str] = {
    "quality": "Data quality",
    "data": "Columns",
    "joint": "Columns together",
    "prediction": "Answers",
    "performance": "Performance",
    "estimated": "Estimated performance",
    "concept": "Concept",
    "calibration": "Calibration",
    "attribution": "Attribution",
    "fairness": "Fairness",
    "kpi": "Business numbers",
    "service": "Service",
}
STATUS: dict[Status, tuple[str, str]] = {  # word, and class of its colour
    "ok": ("ok", "good"),
    "moved": ("moved", "warn"),
    "not_enough_data": ("not enough data", "odd"),
    "not_computable": ("not computable", "odd"),
}
_CAUSES: dict[Cause, str] = {
    "nothing": "Nothing has changed that matters",
    "not_enough_data": "There is not enough data to say anything",
    "upstream_fault": "The data are wrong at their source",
    "covariate_shift": "The data have moved, and the model copes with it",
    "concept_drift": "The same inputs now mean something else",
    "performance_loss": "The model does worse than its gate promised",
    "miscalibration": "The probabilities no longer come true",
    "label_delay": "The labels are late",
    "no_gain": "Retraining has not helped",
    "bad_champion": "The version before this one does better",
    "unfair": "Groups lie farther apart than they may",
    "off_target": "A number of the business is beyond its limit",
    "service_fault": "Requests are slow or fail",
}
# What to do: the badge, its colour, and a sentence.
ACTIONS: dict[Action, tuple[str, str, str]] = {
    "nothing": ("QUIET", "good", "Nothing is to be done."),
    "watch": ("WATCH", "warn", "Nothing is to be done yet; the next windows will tell."),
    "wait": ("WAIT", "odd", "Wait for the labels before you judge the model."),
    "quarantine": (
        "QUARANTINE",
        "bad",
        "Call the owner of the data; a model trained on these rows would learn the fault.",
    ),
    "recalibrate": (
        "RECALIBRATE",
        "warn",
        "Fit the calibration again on recent rows; the order of the answers still holds.",
    ),
    "retrain": ("RETRAIN", "bad", "Train again on rows of the new kind."),
    "roll_back": ("ROLL BACK", "bad", "Let the version before serve again."),
    "escalate": (
        "ESCALATE",
        "bad",
        "Ask a person: features, model type or the question itself, not fresher data.",
    ),
}


def headline(seen: Observation, triage: Triage | None) -> tuple[str, str, str]:
    """The verdict in a sentence, its badge, and the class of its colour."""
    if triage:
        badge, tone, _ = ACTIONS[triage.action]
        if triage.cause == "not_enough_data":
            badge, tone = "NO VERDICT", "odd"
        cause = _CAUSES.get(triage.cause, triage.cause.replace("_", " ").capitalize())
        return cause, badge, tone
    alarms = [SIGNALS[alarm.signal].lower() for alarm in seen.alarm]
    if alarms:
        tone = "bad" if {"performance", "concept"} & {a.signal for a in seen.alarm} else "warn"
        return f"Alarm: {', '.join(alarms)}", "ALARM", tone
    if not any(finding.status in ("ok", "moved") for finding in seen.findings):
        return "There is not enough data to say anything", "NO VERDICT", "odd"
    if any(finding.status == "moved" for finding in seen.findings):
        return "Something moved, not long enough for an alarm", "NO ALARM", "good"
    return "Nothing has changed that matters", "QUIET", "good"


def advice(triage: Triage) -> str:
    """What to do, in a sentence."""
    if triage.cause == "not_enough_data":
        return "Nothing is to be done; larger or later windows can be judged."
    return ACTIONS[triage.action][2]


def signal(name: Signal) -> str:
    """Name a signal for people."""
    return SIGNALS[name]


def number(value: float | None) -> str:
    """Four significant digits; large ones in full, nothing as nothing."""
    if value is None or math.isnan(value):
        return ""
    if math.isfinite(value) and abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def chance(value: float | None) -> str:
    """A p-value as how often it happens when nothing has changed."""
    if value is None:
        return ""
    if value < 1e-9:
        return "under 1 in 10⁹"
    if value > 0.2:
        return f"{value:.0%}"
    digits = 10 ** max(0, math.floor(math.log10(1 / value)) - 1)
    return f"1 in {round(1 / value / digits) * digits:,.0f}"


def what(finding: Finding) -> str:
    """Say what a finding is about, without its signal."""
    column = finding.column or finding.statistic
    if finding.signal == "prediction":
        column = "answers"
    elif finding.signal in ("quality", "fairness") and finding.column:
        column += f", {finding.statistic.replace('_', ' ')}"
    return f"{column} where {finding.slice}" if finding.slice else column


def limit(finding: Finding) -> str:
    """From where on a change matters."""
    if finding.threshold is None:
        return ""
    return f"{'≥' if finding.beyond == 'above' else '≤'} {number(finding.threshold)}"
