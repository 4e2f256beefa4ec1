"""Show in the tracking server what the ledger decided, in its order. Its absence only warns."""

import logging
from collections.abc import Callable
from typing import Any

from trimtab.adapters.tracking import GATE
from trimtab.environment import Environment
from trimtab.errors import IntegrityError
from trimtab.evaluation import decay
from trimtab.ledger import Event, anchor, blocks, champion, foreign, mirror
from trimtab.stages.foreign import overtaken
from trimtab.stages.labels import show
from trimtab.stages.track import training_entry
from trimtab.types import Candidate, GateVerdict, Mirrored, Staleness

log = logging.getLogger(__name__)


def catch_up(env: Environment, model: str) -> list[Mirrored]:
    """Tell the server everything about a model that it has not heard yet; never raises.

    What it does not take stays where it is, in the ledger: the next stage that decides something
    about this model, `trimtab reconcile` or its hourly DAG tells it then.
    """
    done, _ = attempt(env, model)
    return done


def attempt(env: Environment, model: str) -> tuple[list[Mirrored], str]:
    """Do what `catch_up` does, and say what kept the rest from being told."""
    done: list[Mirrored] = []
    try:
        with env.ledger.lock(f"mirror:{model}"):
            untold = mirror.untold(env.ledger, model)
            moved = overtaken(env, model) if untold else None
            for event in untold:
                done.append(tell(env, event))  # noqa: PERF401 what was told before an error counts
            if moved:
                foreign.repaired(env.ledger, moved)
    except Exception as error:  # any failure of a mirror must not undo a decision
        log.debug("mirroring failed", exc_info=True)
        told = f"{type(error).__name__}: {error}".splitlines()[0]
        text = f"MLflow at {env.tracker.place}: {told}; it will be told later"
        log.warning("%s: tracking did not take everything: %s", model, text)
        env.notifier.send("warning", f"tracking did not take all of {model}", text)
        return done, text
    return done, ""


def tell(env: Environment, event: Event) -> Mirrored:
    """Tell the server of one decision and record that it knows.

    Raises:
        Exception: whatever keeps it from being told now.
    """
    facts = _TELL.get(event.kind, _version)(env, event)
    run = facts.get("run_id")
    show(env, event.subject, {run: int(event.payload["version"])} if run else None)
    mirror.told(env.ledger, event, **facts)
    return waiting(event).model_copy(update=facts)


def waiting(event: Event) -> Mirrored:
    """Return a decision as one the server does not know."""
    return Mirrored(model=event.subject, kind=event.kind, what=describe(event))


def describe(event: Event) -> str:
    """Say in words what a decision is."""
    version = f"version {event.payload['version']}"
    match event.kind:
        case "training":
            return version
        case "gate":
            return f"{event.payload['verdict']} for {version}"
        case "approval":
            return f"the answer to {version}"
        case "staleness":
            return f"the decay curve of {version}"
        case blocks.BLOCKED | blocks.UNBLOCKED:
            return f"{version} is {event.kind}"
    return f"{version} is champion"


def _training(env: Environment, event: Event) -> dict[str, Any]:
    try:
        entry = training_entry(env, Candidate.model_validate(event.payload), event.at)
    except (IntegrityError, FileNotFoundError) as error:  # what is gone can never be shown
        log.warning("%s is not shown in MLflow: %s", describe(event), error)
        return {"skipped": str(error)}
    return {"run_id": env.tracker.log_training(entry)}


def _gate(env: Environment, event: Event) -> dict[str, Any]:
    verdict = GateVerdict.model_validate(event.payload)
    finite = {name: value for name, value in verdict.metrics.items() if value == value}
    page = env.reports / verdict.report if verdict.report else None
    tags = {GATE: verdict.verdict}
    known = env.tracker.log_gate(verdict.model, verdict.version, finite, tags, page)
    return _known(known, verdict.version)


def _champion(env: Environment, event: Event) -> dict[str, Any]:
    version = int(event.payload["version"])
    env.tracker.keep_head(event.subject, version, anchor.text_of(event))
    return _version(env, event)


def _version(env: Environment, event: Event) -> dict[str, Any]:
    """What aliases and tags show."""
    version = int(event.payload["version"])
    return _known(env.tracker.knows(event.subject, version), version)


def _staleness(env: Environment, event: Event) -> dict[str, Any]:
    found = Staleness.model_validate(event.payload)
    picture = env.reports / decay.picture_path(found.model, found.version)
    return _known(env.tracker.log_staleness(found, picture), found.version)


def _known(known: bool, version: int) -> dict[str, Any]:
    return {} if known else {"skipped": f"MLflow has no version {version}"}


_TELL: dict[str, Callable[[Environment, Event], dict[str, Any]]] = {
    "training": _training,
    "gate": _gate,
    champion.KIND: _champion,
    "staleness": _staleness,
}
