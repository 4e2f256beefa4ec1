"""Every record as one line a person wants to read."""

from collections.abc import Mapping
from typing import Any

from trimtab.ledger import Event
from trimtab.types import (
    Candidate,
    Champion,
    DatasetVersion,
    FileVerdict,
    GateVerdict,
    Record,
    Scoring,
    Validation,
)
from trimtab.watch import Acted, Observation, RetrainDecision, Triage

# What the ledger's kinds hold; kinds that are not here are book-keeping nobody wants to read.
KINDS: Mapping[str, type[Record]] = {
    "file": FileVerdict,
    "validation": Validation,
    "dataset_version": DatasetVersion,
    "training": Candidate,
    "gate": GateVerdict,
    "champion": Champion,
    "scoring": Scoring,
    "observation": Observation,
    "triage": Triage,
    "retrain_decision": RetrainDecision,
    "acted": Acted,
}


def of_event(event: Event) -> str | None:
    """Tell a ledger event; None when it is no news for people."""
    kind = KINDS.get(event.kind)
    return of_record(kind.model_validate(event.payload)) if kind else None


def of_record(record: Record) -> str | None:
    """Tell one record; None when it is no news for people."""
    match record:
        case FileVerdict():
            bad = sum(record.quarantined.values())
            aside = f", {bad} to quarantine" if bad else ""
            what = f"{record.rows_accepted} of {record.rows_read} rows{aside}"
            why = "" if record.verdict == "accepted" else f" ({record.reason}) {record.detail}"
            return f"{record.dataset}: {record.name} {record.verdict}: {what}{why}"
        case Validation(passed=False):
            return f"{record.dataset}: validation blocked: {', '.join(record.blocked)}"
        case Validation(warned=warned) if warned:
            return f"{record.dataset}: validation passed with a warning: {', '.join(warned)}"
        case DatasetVersion(operation="none"):
            return f"{record.dataset}: {record.name} changes nothing in version {record.version}"
        case DatasetVersion():
            return f"{record.dataset}: version {record.version}, {record.total_rows} rows"
        case Candidate():
            why = f"cause {record.features.cause}, {record.features.train_rows} rows"
            return f"{_version(record)} trained: {record.estimator} ({why}, {record.seconds:.0f} s)"
        case GateVerdict():
            return (
                f"{_version(record)} {record.verdict}: {measured(record)}. {first(record.reasons)}"
            )
        case Champion():
            return f"{_version(record)} is champion ({record.action} by {record.actor})"
        case Scoring():
            parts = ", ".join(record.partitions)
            return f"{record.model}: {record.rows} rows of {parts} scored by v{record.version}"
        case Observation():
            return _observation(record)
        case Triage(cause="nothing"):
            return None
        case Triage():
            cause, action = (name.replace("_", " ") for name in (record.cause, record.action))
            return f"{record.model}: {record.partition}: {cause}: {action}. {record.reason}"
        case Acted():
            over = f"; resolved: {', '.join(record.resolved)}" if record.resolved else ""
            return f"{record.model}: {record.partition}: {record.outcome}: {record.what}{over}"
        case RetrainDecision():
            asked = "retrain" if record.retrain else "no retraining"
            return f"{record.model}: {record.partition}: {asked}: {record.reason}"
    return None


def measured(verdict: GateVerdict) -> str:
    """The primary metric with its interval."""
    low, high = verdict.interval
    return f"{verdict.primary} {verdict.value:.4g} [{low:.4g}, {high:.4g}]"


def first(reasons: Any) -> str:
    """The reason that matters most."""
    return str(reasons[0]) if reasons else ""


def _version(record: Any) -> str:
    return f"{record.model} v{record.version}"


def _observation(record: Observation) -> str:
    drifted = [f.column or f.signal for f in record.findings if f.status == "moved"]
    alarm = f"ALARM {', '.join(each.signal for each in record.alarm)}: " if record.alarm else ""
    known = f", performance {record.performance:.4g}" if record.performance is not None else ""
    found = f"{len(drifted)} finding(s): {', '.join(drifted[:6])}" if drifted else "no finding"
    seen = "observed" if record.labels_at is None else "looked at again, labels have come"
    return f"{record.model}: {record.partition} {seen}: {alarm}{found}{known}"
