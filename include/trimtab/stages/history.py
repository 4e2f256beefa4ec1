"""What the ledger tells of a model: what served at a moment, and everything decided about it."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from trimtab.environment import Environment
from trimtab.errors import DataError
from trimtab.ledger import Event, champion
from trimtab.types import Champion, GateVerdict, Lineage, Served, Told

# Book-keeping of stages, which decides nothing.
_QUIET = ("version_number", "mirrored", "features", "scoring", "importance")


def moment(text: str) -> datetime:
    """Read a moment that names its zone.

    Raises:
        DataError: it is no time, or of no zone.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise DataError(f"{text!r} is no time; write it as 2026-03-03T12:00Z") from error
    if at.tzinfo is None:
        raise DataError(f"{text} names no zone; write {at.isoformat(timespec='minutes')}Z for UTC")
    return at


def served(env: Environment, model: str, at: datetime, *, data_time: bool = False) -> Served:
    """Say which version served at a moment, and why; with ``data_time`` a moment of the data.

    Raises:
        DataError: the moment has not come yet.
        ConfigError: nobody has ever heard of the model.
    """
    changes = env.ledger.events(champion.KIND, model)
    if not changes:
        _known(env, model)
    if not data_time and at > env.clock.now():
        raise DataError(f"{at.isoformat()} has not come yet; name a moment of the past")
    answer = Served(model=model, at=at, data_time=data_time)
    before = [change for change in changes if (_since(change, data_time) or at) <= at]
    if not before:
        return answer.model_copy(
            update={"until": _since(changes[0], data_time) if changes else None}
        )
    event = before[-1]
    after = [change for change in changes if change.seq > event.seq]
    now = Champion.model_validate(event.payload)
    return answer.model_copy(
        update={
            "version": now.version,
            "generation": now.generation,
            "action": now.action,
            "since": _since(event, data_time),
            "until": _since(after[0], data_time) if after else None,
            "actor": now.actor,
            "reason": now.reason,
            "entry": event.seq,
            "hash": event.hash,
            "evidence": tuple(evidence(env, model, now.version, before=event.seq)),
        }
    )


def evidence(
    env: Environment, model: str, version: int, *, before: int | None = None
) -> Iterator[Lineage]:
    """Yield what let a version pass, each with its entry: answer, verdict, training.

    ``before`` leaves out what came after that entry.
    """

    def counts(event: Event) -> bool:
        return before is None or event.seq < before

    answer = env.ledger.find("approval", model, str(version))
    if answer and counts(answer):
        word = "approved" if answer.payload["approved"] else "refused"
        yield _entry("approval", word, answer, **_given(answer.payload))
    gates = [e for e in env.ledger.events("gate", model) if e.payload["version"] == version]
    for event in [gate for gate in gates if counts(gate)][-1:]:
        yield _entry("gate", event.payload["verdict"], event, **_judged(event))
    for event in env.ledger.events("training", model):
        if event.payload["version"] == version:
            yield _entry("training", f"{model}@{version}", event, **_trained(event.payload))


def history(env: Environment, model: str, *, everything: bool = False) -> list[Told]:
    """Return what was decided about a model, oldest first; ``everything``: also book-keeping.

    Raises:
        ConfigError: nobody has ever heard of the model.
    """
    events = env.ledger.events(subject=model)
    if not events:
        _known(env, model)
    return [told(event) for event in events if everything or event.kind not in _QUIET]


def told(event: Event) -> Told:
    """Say in words what an entry records. A kind without words of its own is told by its name."""
    facts = event.payload
    say = _SAY.get(event.kind)
    version = facts.get("version")
    return Told(
        seq=event.seq,
        at=event.at,
        kind=event.kind,
        version=version if isinstance(version, int) else None,
        what=say(facts) if say else event.kind.replace("_", " "),
        actor=event.actor,
        reason=_reason(facts),
        origin=event.origin,
    )


def _known(env: Environment, model: str) -> None:
    if not env.ledger.events("training", model):
        env.project.model(model)


def _since(change: Event, data_time: bool) -> datetime | None:
    return Champion.model_validate(change.payload).since if data_time else change.at


def _entry(kind: str, name: str, event: Event, **facts: Any) -> Lineage:
    place = {"entry": event.seq, "at": event.at.isoformat(timespec="seconds")}
    return Lineage(kind=kind, name=name, facts={**place, **facts})


def _given(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {"by": answer["actor"], "and": answer.get("seconded"), "reason": answer["reason"]}


def _judged(event: Event) -> dict[str, Any]:
    verdict = GateVerdict.model_validate(event.payload)
    return {
        "against": f"version {verdict.champion}" if verdict.champion else "no champion",
        verdict.primary: verdict.value,
        "rows": verdict.rows,
        "reason": verdict.reasons[0] if verdict.reasons else "",
        "report": verdict.report,
    }


def _trained(candidate: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "estimator": candidate["estimator"],
        "data": candidate["features"]["versions"],
        "commit": candidate.get("git_commit"),
        "uncommitted": candidate.get("dirty") or None,
        "configuration": candidate["config_hash"][:12],
    }


def _reason(facts: Mapping[str, Any]) -> str:
    reasons = facts.get("reason") or facts.get("reasons") or facts.get("summary") or ""
    return str(reasons if isinstance(reasons, str) else next(iter(reasons), ""))


def _change(facts: Mapping[str, Any]) -> str:
    changed = facts.get("changed") or {}
    return f"configuration: {', '.join(sorted(changed))}" if changed else "configuration first seen"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _champion(facts: Mapping[str, Any]) -> str:
    despite = f", although {facts['overrode']}" if facts.get("overrode") else ""
    return f"{facts['action']}: champion, generation {facts['generation']}{despite}"


_SAY: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "config_change": _change,
    "training_started": lambda facts: f"training began, cause {facts['cause']}",
    "training": lambda facts: f"trained: {facts['estimator']}",
    "gate": lambda facts: f"gate: {facts['verdict']}",
    "approval_asked": lambda facts: "approval asked",
    "approval_first": lambda facts: "approved by the first of two people",
    "approval_expired": lambda facts: "nobody answered in time: refused",
    "approval": lambda facts: "approved" if facts["approved"] else "refused by a person",
    "approval_refused": lambda facts: f"{facts['actor']} tried to answer and may not",
    "champion": _champion,
    "foreign_change": lambda facts: (
        f"MLflow changed by hand: {facts['what']} {facts['name']} to {facts['seen'] or 'nothing'}"
    ),
    "observation": lambda facts: (
        f"alarm: {', '.join(alarm['signal'] for alarm in facts['alarm'])}"
        if facts["alarm"]
        else "watched, no alarm"
    ),
    "triage": lambda facts: f"{_words(facts['cause'])}: {_words(facts['action'])}",
    "acted": lambda facts: f"{facts['outcome']}: {facts['what']}",
    "retrain_request": lambda facts: f"retraining asked: {', '.join(facts['causes'])}",
    "retrain_decision": lambda facts: "retrain" if facts["retrain"] else "no retraining",
}
