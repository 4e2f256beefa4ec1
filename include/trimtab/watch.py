"""What monitoring sees, concludes and asks for: records of the ledger, JSON both ways."""

from datetime import datetime
from typing import Literal

from trimtab.types import Record

# What is watched, each with its own reference, window and limits.
Signal = Literal[
    "quality",  # missing, type, range, new categories, duplicates, volume, freshness
    "data",  # distribution of one column
    "joint",  # distribution of the columns together
    "prediction",  # distribution of what the model answers
    "performance",  # the primary metric where the truth is known
    "estimated",  # the primary metric where it is not known yet
    "concept",  # error given the same inputs
    "calibration",  # whether what it says happens as often as it says
    "attribution",  # what the answers rest on
    "fairness",  # gaps between the groups of a protected column
    "kpi",  # the user's own number
    "service",  # latency, errors and volume of requests
]
Status = Literal["ok", "moved", "not_enough_data", "not_computable"]
Severity = Literal["info", "warning", "error"]

Cause = Literal[
    "nothing",
    "not_enough_data",
    "upstream_fault",
    "covariate_shift",
    "concept_drift",
    "performance_loss",
    "miscalibration",
    "label_delay",
    "no_gain",
    "bad_champion",
    "unfair",
    "service_fault",
]
Action = Literal[
    "nothing", "watch", "wait", "quarantine", "recalibrate", "retrain", "roll_back", "escalate"
]


class Finding(Record):
    """One statistic of one window, with what it takes to check it.

    ``p_value`` is the chance of a value at least as far off when nothing has changed, with the
    window's size, season and autocorrelation respected. It is None where the rule is certain (a
    column of another type) or a person's own limit (a KPI's minimum).
    """

    signal: Signal
    column: str | None = None
    slice: str | None = None  # column=value of the part of the rows it is about
    statistic: str
    value: float | None = None
    expected: float | None = None  # of the reference
    threshold: float | None = None  # from here on a change matters
    beyond: Literal["above", "below"] = "above"  # on which side of the threshold it matters
    p_value: float | None = None
    reference_rows: int = 0
    current_rows: int = 0
    status: Status
    note: str = ""

    @property
    def name(self) -> str:
        """How the finding is called in lists: signal, column or statistic, and slice."""
        part = f" [{self.slice}]" if self.slice else ""
        return f"{self.signal}:{self.column or self.statistic}{part}"


class Alarm(Record):
    """A signal that has moved in enough of the last windows, the newest among them."""

    signal: Signal
    findings: tuple[str, ...]  # names, of the newest window
    since: str  # partition of the first window in a row that moved
    windows: int = 1  # that moved, of the last n


class Observation(Record):
    """What monitoring saw in one window: a scored file, or its labels as they arrived later.

    ``key`` is that of the ledger's event: the file's hash, and for a later look at its labels the
    hash with the dataset's version after a colon.
    """

    model: str
    version: int
    sha256: str
    partition: str
    rows: int
    since: datetime | None = None  # oldest and newest event time of its rows
    newest: datetime | None = None
    findings: tuple[Finding, ...] = ()
    alarm: tuple[Alarm, ...] = ()
    level: float | None = None  # chance of a false alarm in this window that the budget allows
    summary: str = ""
    performance: float | None = None  # primary metric on rows whose label is known
    labelled: int = 0
    labels_at: int | None = None  # dataset version of a later look at its labels
    report: str | None = None  # HTML page under lake/reports

    @property
    def key(self) -> str:
        """Key of its event in the ledger."""
        return self.sha256 if self.labels_at is None else f"{self.sha256}:{self.labels_at}"


class Triage(Record):
    """What the pattern of alarms most likely means, and what is to be done about it."""

    model: str
    version: int
    key: str  # of the observation
    partition: str
    cause: Cause
    action: Action
    severity: Severity
    reason: str  # a sentence for people
    evidence: tuple[str, ...] = ()  # names of findings, and of earlier decisions
    since: str = ""  # partition in which it began
    helps_from: datetime | None = None  # retrain: rows from here on are of the new kind
    to_version: int | None = None  # roll_back: the predecessor that is better
    at: datetime | None = None  # the data's own time


class Incident(Record):
    """One upstream cause that people are told about once; models that share it join it."""

    id: str
    opened_by: str  # model
    dataset: str
    cause: Cause
    severity: Severity
    title: str
    models: tuple[str, ...] = ()
    reason: str = ""


class RetrainDecision(Record):
    """Whether to retrain, why, and which guard spoke when not."""

    model: str
    partition: str
    retrain: bool
    causes: tuple[Literal["new_data", "drift", "performance", "manual"], ...] = ()
    reason: str
    new_rows: int = 0
    helps_from: datetime | None = None  # older rows are left out of the training
    at: datetime | None = None  # the data's own time


class Visible(Record):
    """The smallest change of one thing that a single window would show, four times of five."""

    signal: Signal
    what: Literal["mean", "category", "missing", "metric"]
    name: str  # of the column or the metric
    unit: Literal["standard deviations", "share of the rows", "of the metric"]
    smallest: float | None  # None: not even the largest change that is possible
    note: str = ""


class Calibration(Record):
    """What the settings mean for a model's own history and volume.

    False alarms come from windows without a change: runs of the version's own reference, judged
    like any window.
    """

    model: str
    version: int
    rows: int  # of a window
    every: float | None  # days from one window to the next
    windows: int  # simulated
    moved: int  # of them had a finding that moved
    alarms: int  # of them alarmed
    false_alarms: float | None  # expected within the budget's time
    allowed: int
    budget: str
    level: float  # of one window
    signals: tuple[Signal, ...]  # simulated
    shared: tuple[Signal, ...]  # not simulated: they share the level, and are held to their part
    visible: tuple[Visible, ...]
    notes: tuple[str, ...] = ()
