"""What the ledger knows about the question whether a version may serve, besides the answer."""

from trimtab.ledger.event import Event
from trimtab.ledger.ledger import Ledger
from trimtab.types import Approval, Candidate, Question

ASKED, REMINDED, EXPIRED = "approval_asked", "approval_reminded", "approval_expired"
FIRST, REFUSED, ANSWER = "approval_first", "approval_refused", "approval"


def question(ledger: Ledger, model: str, version: int) -> Question | None:
    """Return the question that was asked about a version, if any."""
    event = ledger.find(ASKED, model, str(version))
    return Question.model_validate(event.payload) if event else None


def asked_by_run(ledger: Ledger, model: str, run: str) -> Question | None:
    """Return the question that a run of Airflow has asked, if any."""
    mine = [e.payload for e in ledger.events(ASKED, model) if e.payload["run"] == run]
    return Question.model_validate(mine[-1]) if mine else None


def unanswered(ledger: Ledger, model: str) -> list[Question]:
    """Return the questions about a model that nobody has answered and no deadline has ended."""
    answered = {event.key for event in ledger.events(ANSWER, model)}
    asked = [event for event in ledger.events(ASKED, model) if event.key not in answered]
    return [Question.model_validate(event.payload) for event in asked]


def first_yes(ledger: Ledger, model: str, version: int) -> Event | None:
    """Return the first yes of four eyes, if anybody has said it."""
    return ledger.find(FIRST, model, str(version))


def starters(ledger: Ledger, candidate: Candidate) -> tuple[str, ...]:
    """Name who started the training, and everybody on whose request it was started."""
    model = candidate.model
    training = ledger.find("training", model, candidate.key)
    asked = [ledger.find("retrain_request", model, key) for key in candidate.features.requests]
    return tuple(dict.fromkeys(event.actor for event in (training, *asked) if event))


def decide(ledger: Ledger, wanted: Approval) -> Event:
    """Record the answer unless there is one; return the one that stands."""
    key = str(wanted.version)
    return ledger.append(ANSWER, wanted.model, key, wanted.to_json(), actor=wanted.actor)


def refuse(
    ledger: Ledger, model: str, version: int, *, approved: bool, actor: str, why: str
) -> None:
    """Keep an attempt that does not count, the first of each person with each answer."""
    attempt = {"model": model, "version": version, "approved": approved, "actor": actor, "why": why}
    key = f"{version}:{'yes' if approved else 'no'}:{actor}"
    ledger.append(REFUSED, model, key, attempt, actor=actor)
