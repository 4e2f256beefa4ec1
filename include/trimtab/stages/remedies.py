"""What each action of triage does. All of them may be done again, and end where they did before."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from trimtab.config import ModelSpec
from trimtab.environment import Environment
from trimtab.errors import TrimtabError
from trimtab.ledger import advice, champion
from trimtab.stages import incidents
from trimtab.watch import Action, RetrainDecision, Triage

ACTOR = "monitor"


@dataclass(frozen=True)
class Remedy:
    """What was done, or what a person is asked to do."""

    outcome: Literal["done", "asked", "refused", "told"]
    what: str
    command: str = ""
    rings: bool = False  # asks for a training beside what was decided


Do = Callable[[Environment, ModelSpec, Triage, RetrainDecision | None], Remedy]


def _nothing(
    env: Environment, spec: ModelSpec, found: Triage, decision: RetrainDecision | None
) -> Remedy:
    if decision and decision.retrain:
        return Remedy("done", f"a training is asked for: {decision.reason}")
    return Remedy("told", "nothing has to be done")


def _watch(
    env: Environment, spec: ModelSpec, found: Triage, decision: RetrainDecision | None
) -> Remedy:
    if decision and decision.retrain:
        return Remedy("done", f"watched; a training is asked for: {decision.reason}")
    return Remedy("told", "it is watched; nothing else has to be done")


def _wait(
    env: Environment, spec: ModelSpec, found: Triage, decision: RetrainDecision | None
) -> Remedy:
    return Remedy("told", "it waits for labels; whoever delivers them should know")


def _quarantine(
    env: Environment, spec: ModelSpec, found: Triage, decision: RetrainDecision | None
) -> Remedy:
    """Advise against the scored file, unless somebody has had a word on it before."""
    dataset, sha256 = spec.scored_on, found.key.partition(":")[0]
    name = sha256[:12]
    why = "--reason 'why it is right'"
    command = f"trimtab quarantine dismiss {dataset} {name} {why}"
    marks = advice.marks(env.ledger, dataset, sha256)
    if marks and marks[-1].kind == advice.DISMISSED:
        who = marks[-1].actor
        return Remedy("refused", f"{who} has said that the file {name} of {dataset} is right")
    facts = {"model": spec.model, "partition": found.partition, "reason": found.reason}
    advice.mark(env.ledger, dataset, sha256, advice.ADVISED, facts, actor=ACTOR)
    what = (
        f"no training takes rows of the file {name} of {dataset} any more; its predictions stand, "
        f"do not rely on them. {_cure(dataset, incidents.origin(env, spec, found))}, or say that "
        "this one is right"
    )
    return Remedy("done", what, command)


def _cure(dataset: str, source: str) -> str:
    if source == dataset:
        return "Deliver a corrected file of the same name, which is then scored anew"
    return f"Deliver what is wrong in {source}, then let the file in again with --repaired"


def _recalibrate(
    env: Environment, spec: ModelSpec, found: Triage, decision: RetrainDecision | None
) -> Remedy:
    """Ask for another calibration by itself when the model file lets it; else a person may."""
    from trimtab.stages import recalibrate

    said = "its chances do not say any more how often a thing happens"
    if problem := recalibrate.hindrance(env, spec):
        return Remedy("asked", f"{said}; {problem}")
    serving = champion.current(env.ledger, spec.model)
    if serving and serving.version != found.version and not recalibrate.asked(env, found):
        return Remedy("refused", f"version {serving.version} serves by now")
    if spec.monitor.recalibrate == "ask":
        command = f"trimtab recalibrate {spec.model} --reason 'chances and frequencies differ'"
        return Remedy("asked", said, command)
    recalibrate.request(env, spec.model, actor=ACTOR, reason=found.reason, key=found.key)
    return Remedy("done", "another calibration of the champion is asked for", rings=True)


def _retrain(
    env: Environment, spec: ModelSpec, found: Triage, decision: RetrainDecision | None
) -> Remedy:
    if decision is None:
        return Remedy("refused", "nothing was decided about a training")
    if not decision.retrain:
        return Remedy("refused", f"no training is asked for: {decision.reason}")
    since = f", on rows from {decision.helps_from:%Y-%m-%d} on" if decision.helps_from else ""
    return Remedy("done", f"a training is asked for{since}: {decision.reason}")


def _roll_back(
    env: Environment, spec: ModelSpec, found: Triage, decision: RetrainDecision | None
) -> Remedy:
    """Go back by itself when the model file lets it; else, or when it is refused, ask."""
    from trimtab.stages.rollback import rollback

    to = f" --to {found.to_version}" if found.to_version else ""
    command = f"trimtab rollback {spec.model}{to} --reason 'does worse than its predecessor'"
    request = f"triage {found.key}"
    past = champion.history(env.ledger, spec.model)
    done = any((each.action, each.request) == ("rollback", request) for each in past)
    if not done and past and past[-1].version != found.version:
        return Remedy("refused", f"version {past[-1].version} serves by now")
    if spec.monitor.rollback == "ask":
        return Remedy("asked", f"version {found.version} should not serve any longer", command)
    try:
        now = rollback(
            env, spec.model, to=found.to_version, reason=found.reason, actor=ACTOR, request=request
        )
    except TrimtabError as refused:
        return Remedy("asked", f"it could not be rolled back: {refused}", command)
    return Remedy("done", f"version {now.version} serves again, version {now.previous} is blocked")


def _escalate(
    env: Environment, spec: ModelSpec, found: Triage, decision: RetrainDecision | None
) -> Remedy:
    return Remedy("asked", "a person has to look at it; nothing is done by itself")


REMEDIES: Mapping[Action, Do] = {
    "nothing": _nothing,
    "watch": _watch,
    "wait": _wait,
    "quarantine": _quarantine,
    "recalibrate": _recalibrate,
    "retrain": _retrain,
    "roll_back": _roll_back,
    "escalate": _escalate,
}
