"""What monitoring sees, concludes and asks for: records of the ledger, JSON both ways."""

from datetime import datetime
from typing import Literal

from trimtab.types import Measure, Record

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

# What a column that moved looks like: all but the first and `new_values` are faults of the source.
Change = Literal[
    "shift",  # other values, as the world brings them
    "new_values",  # categories that were not there before, beside the old ones
    "scale",  # the same values times a constant: another unit
    "offset",  # the same values plus a constant that leads out of the known range
    "nulls",  # values are missing that were there before
    "renamed",  # a known category is gone, an unknown one has its share
    "stuck",  # one value only where there were many
    "swapped",  # it holds what another column held before, and the other one what it held
    "clock",  # the same hours of the day, turned by some
]

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
    "off_target",  # a number of the business beyond its limits
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
    interval: tuple[Measure, Measure] | None = None  # 95 %, of the value
    expected: float | None = None  # of the reference
    threshold: float | None = None  # from here on a change matters
    beyond: Literal["above", "below"] = "above"  # on which side of the threshold it matters
    p_value: float | None = None
    reference_rows: int = 0
    current_rows: int = 0
    status: Status
    note: str = ""
    change: Change | None = None  # of a column that moved: what it looks like
    factor: float | None = None  # of another unit: now / before
    against: int | None = None  # the version it is compared with on the same rows

    @property
    def name(self) -> str:
        """How the finding is called in lists: signal, column or statistic, and slice.

        Quality and fairness say several things of one column, so that there its statistic stands
        too.
        """
        part = f" [{self.slice}]" if self.slice else ""
        several = self.signal in ("quality", "fairness") and self.column
        more = f" {self.statistic}" if several else ""
        return f"{self.signal}:{self.column or self.statistic}{more}{part}"


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
    helps_from: datetime | None = None  # rows from here on are of the new kind
    to_version: int | None = None  # roll_back: the predecessor that is better
    at: datetime | None = None  # the data's own time
    upto: int = 0  # number of the newest entry of the ledger that was looked at


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


class Acted(Record):
    """What was done about one window, or asked of people, and where that is written down.

    ``told`` is empty when nobody had to hear of it, since they have heard it before.
    """

    model: str
    key: str  # of the triage
    partition: str
    cause: Cause
    action: Action
    outcome: Literal["done", "asked", "refused", "told"]
    what: str  # a sentence for people
    command: str = ""  # what a person may type
    incident: str | None = None  # id of the one it opened or belongs to
    resolved: tuple[str, ...] = ()  # ids of incidents that ended with this window
    retrain: bool = False  # whether a training was asked for
    told: Severity | None = None  # how loudly people were told


class RetrainDecision(Record):
    """Whether to retrain, why, and which guard spoke when not."""

    model: str
    partition: str
    retrain: bool
    causes: tuple[Literal["new_data", "drift", "performance", "manual", "recalibrate"], ...] = ()
    reason: str
    new_rows: int = 0
    helps_from: datetime | None = None  # older rows are left out of the training or calibration
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
