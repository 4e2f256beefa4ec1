"""Let a version pass, or not: by itself when the model file says so, else by a listed person."""

from trimtab.environment import Environment
from trimtab.errors import GateRefusedError, LedgerConflictError, NotAllowedError, NotReadyError
from trimtab.ledger import versions
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
        NotReadyError: the model wants a person and none has answered.
        NotAllowedError: this person is not listed in the model file.
        GateRefusedError: the gate does not let this version pass.
        LedgerConflictError: somebody answered differently before.
    """
    spec = env.project.model(model).approve
    found = versions.approval(env.ledger, model, version)
    if approved is None and found:
        return found
    if approved is not False:
        _passed_the_gate(env, model, version)
    if approved is None:
        if spec.mode == "manual":
            who = ", ".join(spec.users) or "a person"
            raise NotReadyError(f"{model} version {version} waits for {who} to approve it")
        approved, actor, reason = True, AUTO, reason or "the model file says approve: auto"
    elif spec.mode == "manual" or actor != AUTO:
        _allowed(env, model, version, approved=approved, actor=actor, users=spec.users)
    wanted = Approval(model=model, version=version, approved=approved, actor=actor, reason=reason)
    return _first(env, wanted)


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


def _allowed(
    env: Environment,
    model: str,
    version: int,
    *,
    approved: bool,
    actor: str,
    users: tuple[str, ...],
) -> None:
    """Refuse who is not listed, and keep the attempt; an empty list means any named person."""
    if actor in users or (not users and actor not in ("", AUTO)):
        return
    attempt = {"model": model, "version": version, "approved": approved, "actor": actor}
    key = f"{version}:{'yes' if approved else 'no'}:{actor}"
    env.ledger.append("approval_refused", model, key, attempt, actor=actor)
    who = ", ".join(users) or "a named person"
    raise NotAllowedError(
        f"{actor or 'nobody'} may not decide on {model} version {version}; "
        f"{who} may (approve.users)"
    )


def _first(env: Environment, wanted: Approval) -> Approval:
    """Record the answer unless there is one; an equal answer is the same decision."""
    event = env.ledger.append(
        "approval", wanted.model, str(wanted.version), wanted.to_json(), actor=wanted.actor
    )
    stands = Approval.model_validate(event.payload)
    tell_report(env, stands.model, stands.version)
    if stands.approved != wanted.approved:
        word = "approved" if stands.approved else "refused"
        raise LedgerConflictError(
            f"{stands.actor} has {word} {stands.model} version {stands.version} already"
            f"{f': {stands.reason}' if stands.reason else ''}; the first answer stands"
        )
    return stands
