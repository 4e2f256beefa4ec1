"""Let a version pass, or not: by itself when the model file says so, else by listed people."""

from typing import NoReturn

from trimtab.config.approvers import EYES, UNNAMED, approvers
from trimtab.environment import Environment
from trimtab.errors import GateRefusedError, LedgerConflictError, NotAllowedError, NotReadyError
from trimtab.ledger import approvals, versions
from trimtab.stages import ask
from trimtab.stages.report import tell_report
from trimtab.types import Approval

AUTO = "auto"


def approve(
    env: Environment,
    model: str,
    version: int,
    *,
    approved: bool | None = None,
    actor: str = AUTO,
    reason: str = "",
) -> Approval:
    """Return the answer to a version; the first one stands.

    Raises:
        NotReadyError: people are asked, and none, or of four eyes only one, has answered; or
            there is no such version.
        NotAllowedError: this person may not answer so; the attempt is recorded.
        GateRefusedError: the gate does not let this version pass.
        LedgerConflictError: somebody answered differently before, or time ran out.
    """
    mode = env.project.model(model).approve.mode
    found = versions.approval(env.ledger, model, version)
    if approved is None and found:
        tell_report(env, model, version)  # whoever recorded it may have been killed before
        return found
    if approved is False:
        versions.candidate(env.ledger, model, version)  # a no must not wait for one to come
    else:
        _passed_the_gate(env, model, version)
    wanted = Approval(
        model=model, version=version, approved=approved is not False, actor=actor, reason=reason
    )
    if mode == "auto" and actor == AUTO:
        why = reason or "the model file says approve: auto"
        return _decided(env, wanted.model_copy(update={"reason": why}))
    if approved is None:
        return _waited(env, model, version)
    _allowed(env, wanted)
    if question := approvals.question(env.ledger, model, version):
        found = ask.expire(env, question)
    if mode == "four_eyes" and approved and found is None:
        wanted = _seconded(env, wanted)
    return _decided(env, wanted)


def flaw(env: Environment, answer: Approval) -> str | None:
    """Say why a yes in the ledger is none by the model file of today; None when it is one.

    The promotion asks again: the file may have become stricter since the answer.
    """
    spec = env.project.model(answer.model).approve
    if spec.mode == "auto":
        return None
    said = [name for name in (answer.actor, answer.seconded) if name is not None]
    people = approvers(spec, env.project.environment.groups)
    strangers = [name for name in said if name == AUTO or (people and name not in people)]
    if strangers:
        return f"{', '.join(strangers)} may not approve it (approve.users, approve.groups)"
    if spec.mode == "four_eyes" and len(set(said)) < EYES:
        return f"only {answer.actor} has approved it, and approve.mode is four_eyes"
    own = sorted({*said} & _starters(env, answer.model, answer.version))
    return f"{', '.join(own)} started it and cannot approve it" if own else None


def _passed_the_gate(env: Environment, model: str, version: int) -> None:
    verdict = versions.newest_verdict(env.ledger, model, version)
    if verdict is None:
        raise GateRefusedError(f"{model} version {version} has not been judged; evaluate it first")
    if verdict.verdict != "PROMOTE":
        reasons = " ".join(verdict.reasons)
        raise GateRefusedError(
            f"{model} version {version} cannot be approved, the gate says {verdict.verdict}: "
            f"{reasons}"
        )


def _waited(env: Environment, model: str, version: int) -> Approval:
    """Ask, remind, or find that time is over."""
    question = ask.ask(env, model, version)
    if answer := ask.expire(env, question):
        return answer
    ask.remind(env, question)
    who = "a named person" if question.people is None else ", ".join(ask.left(env, question))
    first = approvals.first_yes(env.ledger, model, version)
    told = f"; {first.actor} has said yes, another person has to" if first else ""
    raise NotReadyError(
        f"{model} version {version} waits for {who or 'nobody who may'} to approve it until "
        f"{question.until:%Y-%m-%d %H:%M} UTC{told}"
    )


def _allowed(env: Environment, wanted: Approval) -> None:
    """Refuse who may not answer so, and keep the attempt."""
    model, version, actor = wanted.model, wanted.version, wanted.actor
    spec = env.project.model(model).approve
    people = approvers(spec, env.project.environment.groups)
    others = [name for name in people or () if name != actor]
    if actor in (people or ()) or (people is None and actor not in {"", AUTO, ask.NOBODY}):
        if not wanted.approved or actor not in _starters(env, model, version):
            return
        why = "started this training and cannot approve it"
    else:
        why = "is not listed (approve.users, approve.groups)"
    _refuse(env, wanted, why, f"{', '.join(others) or 'a named person'} may")


def _starters(env: Environment, model: str, version: int) -> set[str]:
    """Who started it as far as the record goes, also of the run that asked."""
    question = approvals.question(env.ledger, model, version)
    candidate = versions.candidate(env.ledger, model, version)
    known = {*approvals.starters(env.ledger, candidate), *(question.starters if question else ())}
    return known - UNNAMED


def _seconded(env: Environment, wanted: Approval) -> Approval:
    """Return the yes of two people.

    Raises:
        NotReadyError: this is the first yes; it is kept.
        NotAllowedError: the same person has said the first one.
    """
    model, version = wanted.model, wanted.version
    key, said = str(version), {"version": version, "reason": wanted.reason}
    first = env.ledger.append(approvals.FIRST, model, key, said, actor=wanted.actor)
    if first.new:
        title = f"{model} version {version}: {wanted.actor} says yes, another person has to"
        question = ask.ask(env, model, version)
        tell_report(env, model, version)
        to = ask.left(env, question)
        env.notifier.send("info", title, f"{wanted.reason} {question.where}".strip(), to=to)
        raise NotReadyError(f"{title}: {', '.join(to)}")
    if first.actor == wanted.actor:
        _refuse(env, wanted, "has said yes already", "another person has to (four_eyes)")
    told = {first.actor: first.payload["reason"], wanted.actor: wanted.reason}
    reason = "; ".join(f"{name}: {why}" for name, why in told.items() if why)
    update = {"actor": first.actor, "seconded": wanted.actor, "reason": reason}
    return wanted.model_copy(update=update)


def _refuse(env: Environment, wanted: Approval, why: str, instead: str) -> NoReturn:
    model, version, actor = wanted.model, wanted.version, wanted.actor
    approvals.refuse(env.ledger, model, version, approved=wanted.approved, actor=actor, why=why)
    raise NotAllowedError(
        f"{actor or 'nobody'} may not decide on {model} version {version}: {actor or 'nobody'} "
        f"{why}; {instead}"
    )


def _decided(env: Environment, wanted: Approval) -> Approval:
    """Record the answer unless there is one; an equal answer is the same decision."""
    event = approvals.decide(env.ledger, wanted)
    stands = Approval.model_validate(event.payload)
    tell_report(env, stands.model, stands.version)
    if stands.approved != wanted.approved:
        word = "approved" if stands.approved else "refused"
        raise LedgerConflictError(
            f"{stands.actor} has {word} {stands.model} version {stands.version} already"
            f"{f': {stands.reason}' if stands.reason else ''}; the first answer stands"
        )
    if event.new and not stands.approved:
        title = f"{stands.model} version {stands.version} is rejected by {stands.actor}"
        env.notifier.send("info", title, stands.reason)
    return stands
