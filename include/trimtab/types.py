"""Small frozen records that pass between stages and into the ledger. All are JSON both ways."""

import hashlib
import json
import math
from datetime import datetime
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, WithJsonSchema

# Columns every dataset table carries beside its own: which file a row came from (content hash),
# at which position (1 = first data row), and the partition it belongs to.
FILE, ROW, PARTITION = "_file", "_row", "_partition"
SYSTEM_COLUMNS = (FILE, ROW, PARTITION)
# Columns a feature set adds: the target, and which side of the split a row is on.
TARGET, ROLE = "_target", "_role"

# What the contributions of an explanation sum to.
Scale = Literal["log-odds", "probability", "value"]

_LONGEST_KEY = 400  # characters, of an event in the ledger


def _null_is_nan(value: Any) -> Any:
    return math.nan if value is None else value


# A measured number. JSON has no NaN, so what could not be computed is null there.
Measure = Annotated[
    float, BeforeValidator(_null_is_nan), WithJsonSchema({"type": ["number", "null"]})
]


def _schema_of_slice() -> dict[str, Any]:
    number: dict[str, Any] = {"type": ["number", "null"]}
    return {
        "type": "object",
        "description": "One judged part of the rows; more keys may be added.",
        "properties": {
            "column": {"type": "string"},
            "value": {"type": "string"},
            "rows": {"type": "integer"},
            "metric": number,
            "interval": {"type": "array", "items": number, "minItems": 2, "maxItems": 2},
            "champion": number,
            "difference": {
                "anyOf": [
                    {"type": "array", "items": number, "minItems": 3, "maxItems": 3},
                    {"type": "null"},
                ],
                "description": "low, estimate, high of challenger minus champion, in pairs",
            },
        },
        "required": ["column", "value", "rows", "metric", "interval", "champion", "difference"],
    }


class Record(BaseModel):
    """Base of every record: immutable, closed, JSON by `to_json`."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")

    def to_json(
        self, *, include: set[str] | None = None, exclude: set[str] | None = None
    ) -> dict[str, Any]:
        """Return plain JSON values (for the ledger, XCom, ``--json``); NaN becomes None.

        By way of the text: ``model_dump(mode="json")`` leaves NaN as it is, and neither
        PostgreSQL nor XCom takes it.
        """
        text = self.model_dump_json(include=include, exclude=exclude)
        return cast("dict[str, Any]", json.loads(text))


class LandedFile(Record):
    """A complete file of a source that the ledger has not judged yet.

    ``tag`` is what the place calls this content (the ETag of an S3 object, the range of a query).
    Where there is one, size and time say nothing about identity.
    """

    dataset: str
    name: str
    uri: str
    size: int
    mtime_ns: int
    tag: str = ""

    @property
    def sighting(self) -> str:
        """Identity of this look at the file, cheaper than its content hash."""
        seen = f"{self.name}:{self.tag or f'{self.size}:{self.mtime_ns}'}"
        if len(seen) <= _LONGEST_KEY:
            return seen
        return f"{seen[:300]}:{hashlib.sha256(seen.encode()).hexdigest()}"  # S3 has longer names


class FileVerdict(Record):
    """The judgement of one file by content.

    ``staged`` is the store's key of the Parquet file of its accepted rows, in the table's folder.
    """

    dataset: str
    name: str
    sha256: str
    verdict: Literal["accepted", "rejected", "duplicate"]
    reason: str = "ok"
    detail: str = ""
    rows_read: int = 0
    rows_accepted: int = 0
    quarantined: dict[str, int] = {}
    staged: str | None = None
    partitions: tuple[str, ...] = ()
    newest: datetime | None = None
    medians: dict[str, float] = {}  # of its numbers, when the contract compares files (history)


class CheckResult(Record):
    """One expectation's outcome on one file; ``sampled_rows`` when not all rows were looked at."""

    expectation: str
    column: str | None = None
    severity: Literal["block", "quarantine", "warn"]
    success: bool
    observed: Any = None
    limit: dict[str, Any] = {}
    unexpected: int = 0
    sampled_rows: int | None = None


class Validation(Record):
    """The verdict of the contract on one staged file.

    ``staged`` is the store's key of the rows that passed, ``docs`` a page under lake/reports.
    """

    dataset: str
    sha256: str
    passed: bool
    blocked: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()
    quarantined: int = 0
    staged: str | None = None
    results: tuple[CheckResult, ...] = ()
    docs: str | None = None


class DatasetVersion(Record):
    """An immutable state of a dataset table: what one published file, or a revert, made of it.

    A file that changed nothing names the version it found. Of the rows of a file that passed,
    ``rows_added + rows_updated + rows_unchanged + superseded + sum(set_aside)`` is all of them.
    """

    dataset: str
    version: int  # of the Delta table
    sha256: str  # of the file; of a revert: its own identity
    name: str
    rows: int  # rows of this file in the table at this version
    total_rows: int
    partitions: tuple[str, ...] = ()
    newest: datetime | None = None  # high-water mark of event time over the whole table
    operation: Literal["append", "upsert", "replace_partition", "restate", "revert", "none"] = (
        "append"
    )
    rows_added: int = 0
    rows_updated: int = 0  # same key, other values
    rows_removed: int = 0
    rows_unchanged: int = 0  # were there already
    superseded: int = 0  # a file that came later was published before this one
    set_aside: dict[str, int] = {}  # reason -> rows whose key another file has published
    replaces: tuple[str, ...] = ()  # hashes of files whose last rows left the table with it
    columns_added: tuple[str, ...] = ()
    target: int | None = None  # of a revert: the version whose content came back
    actor: str = "trimtab"
    reason: str = ""
    content: str | None = None  # row-order-free hash of the whole table


class SchemaChange(Record):
    """The decision to change a table's columns, for a file (add_columns) or for the contract."""

    dataset: str
    base: int | None  # the version it was decided on; None: before the first one
    added: dict[str, str] = {}  # column -> type
    changed: dict[str, tuple[str, str]] = {}  # column -> type before, type after
    policy: Literal["contract", "add_columns"]
    actor: str = "trimtab"
    sha256: str | None = None  # the file that was being published
    name: str | None = None


class Retention(Record):
    """Files that were removed because no kept version needs them."""

    dataset: str
    keep: str
    files: tuple[str, ...] = ()  # keys in the store
    bytes: int = 0
    versions: tuple[int, ...] = ()  # versions that cannot be read any more
    kept: tuple[int, ...] = ()
    actor: str = "trimtab"


class Lineage(Record):
    """One thing the ledger knows, what is told of it, and what it led to or came from."""

    kind: str
    name: str
    facts: dict[str, Any] = {}
    children: tuple["Lineage", ...] = ()


class Intake(Record):
    """What became of one file that somebody brought: judged, checked and published in one go."""

    dataset: str
    name: str
    sha256: str
    verdict: Literal["accepted", "rejected", "duplicate"]
    reason: str
    detail: str = ""
    rows_read: int = 0
    accepted: int = 0
    quarantined: dict[str, int] = {}  # reason -> rows, those of the checks and the keys too
    version: int | None = None  # of the dataset, when it was published
    docs: str | None = None  # the page of its checks, under lake/reports

    @property
    def published(self) -> bool:
        """Whether its rows are in the dataset, now or since before."""
        return self.version is not None


class Release(Record):
    """Rows a person corrected and handed back. They replace the quarantined rows they came from."""

    dataset: str
    actor: str
    reason: str
    handed: str  # sha256 of the file as it was handed back
    rows: dict[str, tuple[int, ...]]  # sha256 of the quarantined file -> positions
    intakes: tuple[Intake, ...]  # one for each file the rows came from


class FeatureCost(Record):
    """What one feature costs: to build, to keep, and how often it is missing."""

    seconds: float  # of the join or the expression that brings it, shared by its columns
    null_rate: Measure
    bytes: int  # in memory, over all rows of the set


class FeatureSet(Record):
    """Joined rows of a model, written once under lake/features; one row per row of its dataset.

    The file holds the key columns, the time column, ``_file``, ``_partition``, every feature,
    ``_target`` and ``_role`` (``train`` or ``holdout``). Rows without a label are left out and
    counted in ``unlabelled``.
    """

    model: str
    key: str  # hash of dataset versions and the parts of the model file that matter here
    uri: str  # relative to the lake
    sha256: str = ""  # of the file; the same rows give the same one
    holdout_sha256: str = ""  # of the fingerprints of the hold-out rows, listed before training
    task: Literal["binary", "multiclass", "regression"]
    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    temporal: tuple[str, ...] = ()
    textual: tuple[str, ...] = ()
    group: str | None = None  # column whose values are on one side of the split
    weight: str | None = None  # column of sample weights
    views: tuple[str, ...] = ()  # feature views that were joined
    costs: dict[str, FeatureCost] = {}
    train_rows: int
    holdout_rows: int
    unlabelled: int = 0
    train_until: datetime | None = None  # exclusive: the hold-out begins. None: no split by time
    holdout_until: datetime | None = None  # inclusive: the newest event time seen
    versions: dict[str, int] = {}  # dataset -> Delta version
    cause: str = "manual"  # initial | new_data | drift | performance | manual
    requests: tuple[str, ...] = ()  # keys of the retrain requests this set answers
    left_out: tuple[str, ...] = ()  # hashes of files that are advised against
    since: datetime | None = None  # older rows are left out: they are of a concept that is over
    asked_since: datetime | None = None  # what was asked for; with too few rows left all count
    recalibrates: int | None = None  # the version that is kept but for its calibration

    @property
    def features(self) -> tuple[str, ...]:
        """Feature columns in a fixed order."""
        return self.numeric + self.categorical + self.temporal + self.textual


class SearchShare(Record):
    """What one worker did for the shared search of candidate ``key``."""

    model: str
    key: str
    worker: int
    trials: int
    seconds: float = 0.0


class Candidate(Record):
    """A trained model version. ``manifest`` maps every file of ``uri`` to its SHA-256."""

    model: str
    version: int
    key: str  # hash of the feature set's key and the training configuration
    features: FeatureSet
    uri: str  # folder relative to the lake
    manifest: dict[str, str]
    estimator: str
    params: dict[str, Any]
    validation: dict[str, Measure]  # metric -> value of the winner on the validation rows
    trials: int
    walk_forward: dict[str, Measure] = {}  # mean, spread and every fold of the primary metric
    default_score: float | None = None  # the best score of all families' defaults
    baselines: tuple[str, ...] = ()  # baseline estimators packaged beside the winner
    tuned_on: str | None = None  # key of the set an earlier search found the first parameters on
    run_id: str | None = None  # MLflow run, when tracking answered
    git_commit: str | None = None
    dirty: bool = False  # made from uncommitted code or configuration
    config_hash: str
    seconds: float = 0.0


class Staleness(Record):
    """How the score of a version's recipe decays with its age, walk-forward."""

    model: str
    version: int
    metric: str
    weeks: tuple[int, ...]  # age of the model when the scored rows end
    scores: tuple[Measure, ...]  # of fresh models, less what one of that age loses to them
    losses: tuple[Measure, ...]  # mean over the folds, against a fresh model on the same rows
    errors: tuple[Measure, ...]  # standard errors of these means
    margin: float  # of the gate against a champion, in units of the metric
    folds: int  # models that were fitted
    rows: int  # rows each of them learnt from
    max_age_weeks: int | None = None  # the oldest age inside the margin; None: older than measured
    reason: str
    report: str | None = None  # picture under lake/reports


class Certificate(Record):
    """That a version was trained again from its record alone, and what came of it."""

    model: str
    version: int
    equal: bool
    differences: tuple[str, ...] = ()  # what is not as recorded, each by name
    notes: tuple[str, ...] = ()  # what else has changed: no part of the numbers, or it shows there
    rows: int  # recorded rows whose predictions were compared
    max_difference: Measure  # largest absolute difference of a prediction
    sha256: dict[str, str]  # of the configuration, and of rows and predictions as rebuilt
    hardware: dict[str, Any] = {}
    seconds: float = 0.0
    report: str | None = None  # under lake/reports


class Mirrored(Record):
    """One decision of the ledger, as it was shown (or is to be shown) in the tracking server."""

    model: str
    kind: str  # of the ledger's event
    what: str
    run_id: str | None = None
    skipped: str = ""  # why it can never be shown


class Swept(Record):
    """A run or model a crash left open in the tracking server, and why nobody will end it."""

    model: str
    what: Literal["run", "model"]
    id: str
    name: str
    reason: str


class ForeignChange(Record):
    """Something in the tracking server that is not as the ledger has it: somebody's own hand."""

    model: str
    what: Literal["alias", "tag", "version"]
    name: str  # the alias, the version and its tag, or the version of the server
    seen: str | None = None  # None: it is gone
    wanted: str | None = None  # None: it should not be there
    repaired: bool = True  # False: it cannot be put back, or only would be (a dry run)


class Reconciled(Record):
    """What it took to make the tracking server show what the ledger says."""

    place: str  # without a password
    dry_run: bool = False
    told: tuple[Mirrored, ...] = ()
    waiting: tuple[Mirrored, ...] = ()  # what it does not know (yet)
    closed: tuple[Swept, ...] = ()
    foreign: tuple[ForeignChange, ...] = ()
    problems: tuple[str, ...] = ()


class Materialization(Record):
    """The newest row of each entity of a feature view, put online from a dataset version."""

    view: str
    dataset: str
    version: int  # of the dataset
    definition: str  # hash of what shapes the view's rows
    shelf: str  # in the store: definition, and the last version that took rows away
    rows: int  # written: the newest of each entity, and those that become known later
    incremental: bool = False  # only rows of files published since the last materialization
    since: datetime | None = None  # earliest moment the rows answer for
    newest: datetime | None = None  # event time
    place: str  # where, without a password


class FeatureAnswer(Record):
    """What is known of one entity at a moment. ``reason`` says why it is missing."""

    view: str
    key: dict[str, Any]
    values: dict[str, Any] | None = None
    time: datetime | None = None  # of the row
    known: datetime | None = None
    version: int  # of the dataset
    reason: str = ""


class ColumnImportance(Record):
    """What one feature is worth to a version, and what it costs."""

    column: str
    permutation: Measure  # mean loss of the metric when its values are shuffled
    spread: Measure  # standard deviation of that loss over the repeats
    useless: bool  # the mean is at most two spreads
    shap: float | None = None  # mean absolute contribution
    cost: FeatureCost | None = None


class Importance(Record):
    """Worth and cost of every feature of a version; ``importance.json`` of its package."""

    model: str
    metric: str
    rows: int  # validation rows whose columns were shuffled
    repeats: int
    columns: tuple[ColumnImportance, ...]  # most important first
    shap_rows: int = 0
    shap_scale: Scale | None = None
    shap_method: str = ""  # how the contributions were computed; without any: why not


class Explanation(Record):
    """Why one row got its score: contributions that sum to it."""

    model: str
    version: int
    versions: dict[str, int]  # datasets the row was built from
    generation: int | None = None  # of the champion that scored the row
    scored: datetime | None = None  # when it did; None: this version has not scored the row
    key: dict[str, Any]
    features: dict[str, Any]
    prediction: Any  # P(positive), the class, or the number
    recorded: Any = None  # what the predictions table holds for the row
    prediction_id: str | None = None  # of that, for `trimtab audit explain`
    explains: str | None = None  # of several classes: the one whose score is explained
    probability: float | None = None  # of the positive or the explained class
    scale: Scale  # what the contributions sum to
    base: float  # the score of no information
    contributions: dict[str, float]  # by column, largest first
    score: float  # base + the sum of contributions
    method: str


class Rule(Record):
    """One rule of the gate: what was measured, against what, and what follows."""

    name: str
    passed: bool
    value: float | None = None
    limit: float | None = None
    reason: str
    decides: Literal["reject", "hold"] = "reject"  # the verdict when it does not pass
    severity: Literal["block", "warn"] = "block"  # a warning is said and decides nothing
    about: Literal[
        "rows", "quality", "slices", "fairness", "robustness", "behaviour", "operation", "record"
    ] = "quality"  # where the report shows it


class GroupGap(Record):
    """How the groups of one protected column differ in one measure."""

    column: str
    measure: Literal["demographic_parity", "equalized_odds", "error"]
    gap: Measure  # largest less smallest
    interval: tuple[Measure, Measure]
    limit: float | None = None
    groups: dict[str, Measure]  # group -> value; of odds: the true positive rate
    rows: dict[str, int]  # group -> rows
    skipped: dict[str, int] = {}  # too small to judge -> rows
    passed: bool = True


class Disturbance(Record):
    """What became of the primary metric when the rows were disturbed in one way."""

    name: Literal["noise", "missing", "unseen", "extreme", "shuffled"]
    column: str | None = None  # of shuffled: the column that matters most
    value: Measure  # of the disturbed rows
    change: Measure  # against the undisturbed ones
    limit: float | None = None
    passed: bool = True


class Behaved(Record):
    """One behaviour test of the user's, and what it found."""

    name: str
    kind: Literal["invariance", "direction", "minimum"]
    cases: int
    failures: int
    detail: str = ""
    passed: bool


class GateVerdict(Record):
    """PROMOTE, HOLD (says what is missing) or REJECT, each with reasons."""

    model: str
    version: int
    verdict: Literal["PROMOTE", "HOLD", "REJECT"]
    reasons: tuple[str, ...]
    rules: tuple[Rule, ...]
    primary: str
    value: Measure
    interval: tuple[Measure, Measure]
    champion: int | None = None  # the version it was compared with
    champion_value: float | None = None
    difference: tuple[Measure, Measure, Measure] | None = None  # low, estimate, high (paired)
    metrics: dict[str, Measure] = {}
    slices: tuple[Annotated[dict[str, Any], WithJsonSchema(_schema_of_slice())], ...] = ()
    fairness: tuple[GroupGap, ...] = ()
    robustness: tuple[Disturbance, ...] = ()
    behaviour: tuple[Behaved, ...] = ()
    calibration: Measure | None = None  # expected calibration error
    operation: dict[str, Measure] = {}  # bytes, milliseconds a row, bytes of memory
    labels_needed: int | None = None  # of HOLD: about how many more would decide
    resampling: str = ""  # what was drawn: day, hour, group, row
    rows: int
    holdout_sha256: str = ""  # of the frozen list of fingerprints
    holdout_from: datetime | None = None
    holdout_until: datetime | None = None
    report: str | None = None  # HTML page under lake/reports


class Approval(Record):
    """Who let a version pass, or did not. ``actor`` is 'auto' when the model file says so."""

    model: str
    version: int
    approved: bool
    actor: str
    reason: str = ""
    seconded: str | None = None  # of four eyes: the other person who said yes


class Question(Record):
    """A version that waits for people: who is asked, who may not say yes, and until when."""

    model: str
    version: int
    mode: Literal["manual", "four_eyes"]
    people: tuple[str, ...] | None = None  # None: any named person
    starters: tuple[str, ...] = ()  # who started the training or asked for it
    asked: datetime
    until: datetime  # no answer by then is a no
    run: str = ""  # of Airflow, so that an attempt there can be told to belong here
    where: str = ""  # address of the form

    @property
    def asked_for(self) -> tuple[str, ...]:
        """Whom to tell: everybody listed but those who may not say yes."""
        return tuple(name for name in self.people or () if name not in self.starters)


class Champion(Record):
    """The one version of a model that serves, and how it came to."""

    model: str
    version: int
    generation: int
    action: Literal["promote", "rollback"]
    actor: str
    reason: str
    since: datetime | None = None  # the data's own time when it was decided
    previous: int | None = None
    request: str = ""  # what asked for a rollback, such as a run: asked again it is the same one
    overrode: str = ""  # the freeze a rollback was made in spite of


class Block(Record):
    """A person's word, or a rollback's, that a version must not serve; or that it may again."""

    model: str
    version: int
    blocked: bool = True
    actor: str
    reason: str


class Completeness(Record):
    """How many clauses of Annex IV a dossier answers, and who gave the answers."""

    fields: int
    automatic: int  # from records
    written: int  # with words of the model file that a person wrote
    missing: tuple[str, ...] = ()  # ids of the clauses that wait for a person

    @property
    def automatic_share(self) -> float:
        """Share of the clauses that needed no words of a person."""
        return self.automatic / self.fields

    @property
    def share(self) -> float:
        """Share of the clauses that are answered."""
        return 1 - len(self.missing) / self.fields


class Dossier(Record):
    """The papers of a version, as they were issued at one state of the ledger."""

    model: str
    version: int
    key: str  # hash of the manifest: the same state of the ledger gives the same papers
    uri: str  # folder, relative to the lake
    manifest: dict[str, str]  # file below papers/ -> SHA-256
    zip_sha256: str
    completeness: Completeness


class Verification(Record):
    """Whether every byte that a version rests on is what the ledger says."""

    model: str
    version: int
    intact: bool
    files: int  # whose hashes were computed again
    altered: tuple[str, ...] = ()  # each by name, with what is wrong
    notes: tuple[str, ...] = ()  # what there was nothing to compare with


class Scoring(Record):
    """Predictions of one published file by one version, in lake/predictions/<model>."""

    model: str
    version: int
    dataset_version: int
    sha256: str
    partitions: tuple[str, ...] = ()
    rows: int
    newest: datetime | None = None
    table_version: int


class ChainState(Record):
    """What a walk along the ledger's chain has found. ``bad`` is the first entry that misfits."""

    entries: int  # that fit
    head: str  # hash of the last of them
    key: str | None = None  # id of the key it is under; None: anybody could write such a chain
    bad: int | None = None
    why: str = ""


class Anchor(Record):
    """One entry of the ledger as another place keeps it."""

    seq: int
    hash: str
    kind: Literal["folder", "tracking", "card"]
    place: str  # without a password


class Disagreement(Record):
    """An anchor that says something else than the ledger."""

    anchor: Anchor
    found: str | None  # the ledger's hash; None: it has no such entry


class LedgerCheck(Record):
    """Whether the ledger is what was written: its chain, and the anchors kept elsewhere."""

    ok: bool
    chain: ChainState
    first_bad: int | None = None
    anchors: dict[str, int] = {}  # place -> anchors that were compared
    agreed: int | None = None  # the newest entry that an anchor vouches for
    disagree: tuple[Disagreement, ...] = ()
    problems: tuple[str, ...] = ()  # what makes it fail
    notes: tuple[str, ...] = ()  # what does not


class Served(Record):
    """Which version of a model served at a moment, since when, by whom, on which evidence."""

    model: str
    at: datetime
    data_time: bool = False  # ``at`` is a moment of the data, not of the clock
    version: int | None = None  # None: none did yet
    generation: int | None = None
    action: Literal["promote", "rollback"] | None = None
    since: datetime | None = None
    until: datetime | None = None  # None: it still does
    actor: str = ""
    reason: str = ""
    entry: int | None = None  # of the ledger
    hash: str = ""
    evidence: tuple[Lineage, ...] = ()


class Told(Record):
    """One entry of the ledger in words."""

    seq: int
    at: datetime
    kind: str
    version: int | None = None
    what: str
    actor: str
    reason: str = ""
    origin: dict[str, Any] | None = None
