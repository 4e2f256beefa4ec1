"""Give the service back to a version that had it before; the way back never asks the gate."""

from datetime import datetime

from trimtab.environment import Environment
from trimtab.errors import GateRefusedError
from trimtab.ledger import champion, versions
from trimtab.stages import freeze, loading
from trimtab.stages.anchor import keep_champion
from trimtab.stages.fallback import Fallback
from trimtab.stages.mirror import catch_up
from trimtab.types import Champion, DatasetVersion


def rollback(
    env: Environment,
    model: str,
    *,
    reason: str,
    actor: str,
    to: int | None = None,
    at: datetime | None = None,
    override_freeze: bool = False,
    request: str = "",
) -> Champion:
    """Make an earlier version serve again, and block the one that served.

    Without ``to`` it is the last champion that was approved and is not blocked.

    Args:
        env: the environment.
        model: name of the model.
        reason: why, for the ledger.
        actor: who wants it.
        to: the version to go back to: a former champion, or one that was approved.
        at: a moment; go back to the version that served then.
        override_freeze: do it although changes are frozen; the ledger keeps that.
        request: what asks, such as a run's id: asked again it is the same rollback. Without one
            the same person with the same reason is, while nobody has changed the champion since.

    Raises:
        GateRefusedError: no reason, nothing to go back to, changes are frozen, or the wanted
            version is blocked or was never fit to serve.
        IntegrityError: the version's files are not what the ledger says; the champion stays.
        LedgerConflictError: somebody else changed the champion meanwhile.
    """
    if not reason.strip():
        raise GateRefusedError(f"a rollback of {model} needs a reason; say why")
    back = Fallback.of(env, model)
    if done := _done_before(env, back.current, to, reason, actor, request):
        return _after(env, done)
    overrode = _despite_freeze(env, model, override=override_freeze)
    version = back.version(to, at)
    candidate = versions.candidate(env.ledger, model, version)
    loading.load(env, candidate)  # a version that cannot be loaded must not serve
    return _after(
        env,
        champion.swap(
            env.ledger,
            model,
            version,
            expected=back.current,
            action="rollback",
            actor=actor,
            reason=reason,
            since=_newest(env, model),
            request=request,
            overrode=overrode,
        ),
    )


def _done_before(
    env: Environment, current: Champion, to: int | None, reason: str, actor: str, request: str
) -> Champion | None:
    """The rollback this one asks for, when it was made already: a retry goes no further back."""
    if request:
        past = champion.history(env.ledger, current.model)
        return next((c for c in past if (c.action, c.request) == ("rollback", request)), None)
    same = (current.action, current.reason, current.actor) == ("rollback", reason, actor)
    return current if same and to in (None, current.version) else None


def _despite_freeze(env: Environment, model: str, *, override: bool) -> str:
    """Return the freeze that is overridden, '' when there is none."""
    held = freeze.holding(env, model)
    if held and not override:
        raise GateRefusedError(
            f"{model} is {freeze.shown(held)}. To roll back all the same say so explicitly "
            "(--override-freeze, or the tick in the form); the ledger keeps it"
        )
    return freeze.shown(held) if held else ""


def _newest(env: Environment, model: str) -> datetime | None:
    """The data's own time of the rollback: the newest row published."""
    event = env.ledger.latest("dataset_version", env.project.model(model).data.from_)
    return DatasetVersion.model_validate(event.payload).newest if event else None


def _after(env: Environment, now: Champion) -> Champion:
    """What follows a change of champion; every part can be done again."""
    from trimtab.stages.card import write_card  # seconds of imports, which nobody waits for

    title = f"{now.model} was rolled back to version {now.version}"
    despite = f", although {now.overrode}" if now.overrode else ""
    keep_champion(env, now.model)
    catch_up(env, now.model)
    write_card(env, now.model, now.version)
    env.notifier.send("warning", title, f"{now.reason} ({now.actor}{despite})")
    return now
