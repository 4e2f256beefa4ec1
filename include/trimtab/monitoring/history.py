"""What the ledger knew of a model when a window was decided on: the whole input of a decision."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeVar

from trimtab.types import Candidate, Champion, DatasetVersion, GateVerdict, Record
from trimtab.watch import Observation, RetrainDecision, Triage

if TYPE_CHECKING:
    from trimtab.ledger import Event

R = TypeVar("R", bound=Record)

# The kinds of events that decisions rest on, and whose they are.
KINDS: Mapping[str, Literal["model", "dataset"]] = {
    "observation": "model",
    "champion": "model",
    "training": "model",
    "gate": "model",
    "triage": "model",
    "retrain_decision": "model",
    "retrain_request": "model",
    "retrain_closed": "model",
    "dataset_version": "dataset",
    "quarantine_dismissed": "dataset",
}
_RECORDS: Mapping[str, type[Record]] = {
    "observation": Observation,
    "champion": Champion,
    "training": Candidate,
    "gate": GateVerdict,
    "triage": Triage,
    "retrain_decision": RetrainDecision,
    "retrain_request": RetrainDecision,
    "dataset_version": DatasetVersion,
}


@dataclass(frozen=True)
class Training:
    """What the guards need of one training: its version, and how far its data went."""

    version: int
    rows: int  # rows of the dataset at the version it was trained on
    until: datetime | None = None
    seconds: float = 0.0
    causes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class History:
    """Each part oldest first; the last of the observations is the one to decide on."""

    observations: tuple[Observation, ...]
    champions: tuple[Champion, ...] = ()
    trainings: tuple[Training, ...] = ()
    gates: tuple[GateVerdict, ...] = ()
    triages: tuple[Triage, ...] = ()
    decisions: tuple[RetrainDecision, ...] = ()
    dismissed: frozenset[str] = frozenset()  # hashes of files a person says are right after all
    repaired: frozenset[str] = frozenset()  # those of them that were wrong and are right by now
    clock: Mapping[str, datetime] = field(default_factory=dict)  # file -> data's time when observed
    labelled: Mapping[str, int] = field(default_factory=dict)  # file -> rows whose label came
    open_request: str | None = None  # key of a request that no training has answered
    rows: int = 0  # of the dataset at that time
    now: datetime | None = None  # the data's own time; of a dataset without time the ledger's
    upto: int = 0  # number of the newest entry that was looked at

    @property
    def newest(self) -> Observation:
        """The observation to decide on."""
        return self.observations[-1]

    @property
    def earlier(self) -> tuple[Observation, ...]:
        """Observations before it."""
        return self.observations[:-1]


@dataclass(frozen=True)
class Entry:
    """One event of the ledger, read."""

    seq: int
    at: datetime
    kind: str
    key: str
    record: Record | None
    sha256: str = ""  # of a file somebody has an opinion about
    repaired: bool = False  # which is that it was wrong and is right by now


@dataclass
class Past:
    """Everything decisions of one model may rest on, read once."""

    entries: list[Entry] = field(default_factory=list)

    @classmethod
    def of(cls, events: "Iterable[Event]") -> "Past":
        """Read events of the model and of its dataset; other kinds are passed over."""
        past = cls()
        for event in sorted(events, key=lambda event: event.seq):
            past.add(event)
        return past

    def add(self, event: "Event") -> None:
        """Append what has just been written."""
        if event.kind in KINDS:
            kind = _RECORDS.get(event.kind)
            record = kind.model_validate(event.payload) if kind else None
            told = {} if record else event.payload
            self.entries.append(
                Entry(
                    event.seq,
                    event.at,
                    event.kind,
                    event.key,
                    record,
                    sha256=str(told.get("sha256", "")),
                    repaired=bool(told.get("repaired")),
                )
            )

    def undecided(self) -> list[str]:
        """Keys of the observations nothing was decided on, oldest first."""
        decided = {each.key for each in self.entries if each.kind == "retrain_decision"}
        return [
            each.key
            for each in self.entries
            if each.kind == "observation" and each.key not in decided
        ]

    def at(self, key: str, upto: int | None = None) -> History:
        """Return what was known when observation ``key`` was decided on.

        Args:
            key: of the observation; later ones are not looked at.
            upto: number of the last entry that counts; a decision's own for a replay.

        Raises:
            KeyError: there is no such observation.
        """
        known = [each for each in self.entries if upto is None or each.seq <= upto]
        mine = next((e for e in known if e.kind == "observation" and e.key == key), None)
        if mine is None:
            raise KeyError(key)
        return _history(known, mine)


def _history(known: Sequence[Entry], mine: Entry) -> History:
    seen = _all(Observation, [e for e in known if e.seq <= mine.seq])
    closed = {each.key for each in known if each.kind == "retrain_closed"}
    asked = [e.key for e in known if e.kind == "retrain_request" and e.key not in closed]
    decided = [e for e in known if e.kind == "retrain_decision"]
    state = _state(known, mine, seen[-1])
    timed = state is not None and state.newest is not None
    return History(
        observations=seen,
        champions=_all(Champion, known),
        trainings=_trainings(known, timed=timed),
        gates=_all(GateVerdict, known),
        triages=_all(Triage, known),
        decisions=_all(RetrainDecision, decided),
        dismissed=frozenset(e.sha256 for e in known if e.kind == "quarantine_dismissed"),
        repaired=frozenset(e.sha256 for e in known if e.repaired),
        clock=_clock(known),
        labelled=_labelled(_all(Observation, known)),
        open_request=asked[0] if asked else None,
        rows=state.total_rows if state else 0,
        now=(state.newest if state else None) or seen[-1].newest or mine.at,
        upto=max(each.seq for each in known),
    )


def _state(known: Sequence[Entry], mine: Entry, seen: Observation) -> DatasetVersion | None:
    """The dataset when the file was published; else (labels, another dataset) when it was seen."""
    states = _all(DatasetVersion, known)
    own = [s for s in states if s.sha256 == seen.sha256] if seen.labels_at is None else []
    then = own or _all(DatasetVersion, [e for e in known if e.seq < mine.seq])
    return then[-1] if then else None


def _clock(known: Iterable[Entry]) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    newest: datetime | None = None
    for entry in known:
        if isinstance(entry.record, DatasetVersion):
            newest = entry.record.newest or newest
        elif isinstance(entry.record, Observation) and newest:
            found.setdefault(entry.record.sha256, newest)
    return found


def _labelled(looks: Iterable[Observation]) -> dict[str, int]:
    """By the newest look at each file, one made after the window in question too."""
    found: dict[str, int] = {}
    for look in looks:
        found[look.sha256] = max(look.labelled, found.get(look.sha256, 0))
    return found


def _trainings(known: Sequence[Entry], *, timed: bool) -> tuple[Training, ...]:
    states = _all(DatasetVersion, known)
    found = []
    for entry in known:
        if isinstance(made := entry.record, Candidate):
            taken = {s.dataset: made.features.versions.get(s.dataset, -1) for s in states}
            rows = max((s.total_rows for s in states if s.version <= taken[s.dataset]), default=0)
            until = made.features.holdout_until if timed else entry.at
            causes = frozenset(made.features.cause.split("+"))
            found.append(Training(made.version, rows, until, made.seconds, causes))
    return tuple(found)


def _all(kind: type[R], entries: Iterable[Entry]) -> tuple[R, ...]:
    return tuple(each.record for each in entries if isinstance(each.record, kind))
