"""Do what triage found to be right, once, and tell the people it concerns.

First the act, which can be repeated, then the message, which carries a key by which a receiver
knows it again, and the ledger last: killed anywhere, the next run comes to the same end.
"""

import logging
from dataclasses import dataclass

from trimtab.environment import Environment
from trimtab.errors import NotReadyError
from trimtab.ledger.event import Event
from trimtab.stages import incidents
from trimtab.stages.remedies import REMEDIES, Remedy
from trimtab.stages.tell import Links, tell
from trimtab.stages.watch import page
from trimtab.watch import Acted, Observation, RetrainDecision, Triage

log = logging.getLogger(__name__)
KIND = "acted"


@dataclass(frozen=True)
class Task:
    """One window's triage with what belongs to it."""

    triage: Triage
    decision: RetrainDecision | None
    observation: Observation | None


def act(env: Environment, model: str, links: Links | None = None) -> list[Acted]:
    """Act on every triage since the last one that was acted on, in order.

    Args:
        env: the environment.
        model: name of the model.
        links: addresses for the messages, of this run and of the reports.

    Raises:
        NotReadyError: there is nothing to do.
    """
    spec = env.project.model(model)
    with env.ledger.lock(f"act:{model}"):
        page.tell_last(env, model, KIND)
        waiting = [_task(env, event) for event in _pending(env, model)]
        done = [acted for task in waiting if (acted := _act(env, task, links or Links()))]
    if not done:
        raise NotReadyError(f"{spec.model}: nothing to do{_why(waiting)}")
    return done


def _pending(env: Environment, model: str) -> list[Event]:
    """Triages after the newest that left something to remember."""
    triages = env.ledger.events("triage", model)
    acted = {event.key for event in env.ledger.events(KIND, model)}
    last = max((event.seq for event in triages if event.key in acted), default=0)
    return [event for event in triages if event.seq > last]


def _task(env: Environment, event: Event) -> Task:
    model, key = event.subject, event.key
    decided = env.ledger.find("retrain_decision", model, key)
    seen = env.ledger.find("observation", model, key)
    return Task(
        Triage.model_validate(event.payload),
        RetrainDecision.model_validate(decided.payload) if decided else None,
        Observation.model_validate(seen.payload) if seen else None,
    )


def _act(env: Environment, task: Task, links: Links) -> Acted | None:
    found, spec = task.triage, env.project.model(task.triage.model)
    asked = task.decision is not None and task.decision.retrain
    remedy = REMEDIES[found.action](env, spec, found, task.decision)
    with env.ledger.lock(incidents.LOCK):
        change = incidents.change(env, spec, found)
        quiet = found.action == "nothing" and not change.over and change.incident is None
        if quiet and not asked:
            return None
        acted = _acted(task, remedy, change, retrain=asked or remedy.rings)
        acted = tell(env, spec, task.observation, found, acted, change, links)
        also = list(change.entries(found))
        event = env.ledger.append(KIND, spec.model, found.key, acted.to_json(), also=also)
    log.info("%s %s: %s: %s", spec.model, found.partition, acted.outcome, acted.what)
    page.tell(env, spec.model, found.key)
    return Acted.model_validate(event.payload)


def _acted(task: Task, remedy: Remedy, change: incidents.Change, *, retrain: bool) -> Acted:
    found = task.triage
    return Acted(
        model=found.model,
        key=found.key,
        partition=found.partition,
        cause=found.cause,
        action=found.action,
        outcome=remedy.outcome,
        what=remedy.what,
        command=remedy.command,
        incident=change.incident.id if change.incident else None,
        resolved=tuple(each.id for each in change.over),
        retrain=retrain,
    )


def _why(waiting: list[Task]) -> str:
    reasons = [task.decision.reason for task in waiting if task.decision]
    return f" ({'; '.join(reasons)})" if reasons else ", no new window"
