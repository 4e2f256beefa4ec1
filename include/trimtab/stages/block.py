"""Keep a version from serving, or let it serve again: a person's word, kept with the reason."""

from trimtab.config.approvers import approvers
from trimtab.environment import Environment
from trimtab.errors import GateRefusedError, NotAllowedError
from trimtab.ledger import blocks, champion, versions
from trimtab.stages.mirror import catch_up
from trimtab.types import Block

REFUSED = "unblock_refused"


def block(env: Environment, model: str, version: int, *, reason: str, actor: str) -> Block:
    """Mark a version that does not serve, so that neither promotion nor rollback takes it.

    Raises:
        GateRefusedError: no reason, or the version serves: that takes a rollback.
        NotReadyError: the version is not trained.
    """
    _known(env, model, version, reason)
    serving = champion.current(env.ledger, model)
    if serving and serving.version == version:
        raise GateRefusedError(
            f"{model} version {version} serves; roll back (trimtab rollback {model}), which blocks "
            "it too"
        )
    wanted = Block(model=model, version=version, actor=actor, reason=reason)
    return _marked(env, wanted)


def unblock(env: Environment, model: str, version: int, *, reason: str, actor: str) -> Block:
    """Let a blocked version be named in a rollback again, or promoted by a new verdict.

    Raises:
        GateRefusedError: no reason, or the version is not blocked.
        NotAllowedError: this person may not approve versions of the model.
        NotReadyError: the version is not trained.
    """
    _known(env, model, version, reason)
    _approver(env, model, version, actor)
    wanted = Block(model=model, version=version, blocked=False, actor=actor, reason=reason)
    standing = blocks.standing(env.ledger, model)
    if version not in standing and not _said_before(env, wanted):
        told = ", ".join(map(str, sorted(standing))) or "none"
        raise GateRefusedError(f"{model} version {version} is not blocked; blocked are: {told}")
    return _marked(env, wanted)


def _known(env: Environment, model: str, version: int, reason: str) -> None:
    env.project.model(model)
    versions.candidate(env.ledger, model, version)
    if not reason.strip():
        raise GateRefusedError(f"to block or unblock {model} version {version} say why")


def _approver(env: Environment, model: str, version: int, actor: str) -> None:
    """Whoever lets a version serve again approves it; an attempt by others is kept."""
    people = approvers(env.project.model(model).approve, env.project.environment.groups)
    if people is None or actor in people:
        return
    attempt = {"model": model, "version": version, "actor": actor}
    env.ledger.append(REFUSED, model, f"{version}:{actor}", attempt, actor=actor)
    who = ", ".join(people) or "nobody"
    raise NotAllowedError(
        f"{actor} may not unblock {model} version {version}; {who} may (approve.users, "
        "approve.groups)"
    )


def _said_before(env: Environment, wanted: Block) -> bool:
    """Whether this very word was given already: a retry is no mistake."""
    said = env.ledger.events(blocks.UNBLOCKED, wanted.model)
    return any(event.payload == wanted.to_json() for event in said)


def _marked(env: Environment, wanted: Block) -> Block:
    event = blocks.mark(env.ledger, wanted)
    catch_up(env, wanted.model)
    return Block.model_validate(event.payload)
