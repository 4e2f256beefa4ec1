"""Make the tracking server show what the ledger says: what it missed, crashes, foreign hands."""

from collections.abc import Iterable
from datetime import timedelta

from trimtab.adapters.tracking import Ghost
from trimtab.environment import Environment
from trimtab.ledger import approvals, foreign, mirror
from trimtab.stages import ask
from trimtab.stages.foreign import undone
from trimtab.stages.labels import differences
from trimtab.stages.mirror import attempt, waiting
from trimtab.types import ForeignChange, Mirrored, Reconciled, Swept

DEAD = timedelta(hours=1)  # a run nobody trains for may be so old before it is closed


def reconcile(env: Environment, *, dry_run: bool = False) -> Reconciled:
    """Tell the server what it missed, close what crashes left open, undo what others changed.

    What somebody changed by hand is recorded as a foreign change first. Doing it again, or after
    it was killed anywhere, changes nothing more. With ``dry_run`` nothing is written.

    Raises:
        DependencyError: the server does not answer.
    """
    env.tracker.probe()
    models = sorted({*env.project.models, *env.ledger.subjects("training")})
    if not dry_run:
        _expire(env, models)
    told: list[Mirrored] = []
    problems: list[str] = []
    for model in models if not dry_run else ():
        done, problem = attempt(env, model)
        told += done
        problems += [f"{model}: {problem}"] if problem else []
    return Reconciled(
        place=env.tracker.place,
        dry_run=dry_run,
        told=tuple(told),
        waiting=tuple(waiting(e) for model in models for e in mirror.untold(env.ledger, model)),
        closed=tuple(_sweep(env, models, dry_run=dry_run)),
        foreign=tuple(c for model in models for c in _foreign(env, model, dry_run=dry_run)),
        problems=tuple(problems),
    )


def _expire(env: Environment, models: Iterable[str]) -> None:
    """Let a deadline pass also where the task that waited for an answer is gone."""
    for model in models:
        for question in approvals.unanswered(env.ledger, model):
            ask.expire(env, question)


def _foreign(env: Environment, model: str, *, dry_run: bool) -> list[ForeignChange]:
    """Record and undo what is not as it was told; whoever tells the server now holds the lock."""
    with env.ledger.lock(f"mirror:{model}"):
        if mirror.untold(env.ledger, model):
            return []  # the server is behind: nobody changed anything
        found = list(differences(env, model))
        if dry_run:
            return [each.change.model_copy(update={"repaired": False}) for each in found]
        for event in foreign.unfinished(env.ledger, model, [each.change for each in found]):
            foreign.repaired(env.ledger, event)  # who put it right was killed before saying so
        return [change for each in found if (change := undone(env, each))]


def _sweep(env: Environment, models: Iterable[str], *, dry_run: bool) -> list[Swept]:
    """End open runs and models whose training is shown elsewhere, or left nothing."""
    swept = []
    for ghost in env.tracker.open_ones(models):
        if reason := _forgotten(env, ghost):
            if not dry_run:
                env.tracker.end(ghost, reason)
            swept.append(
                Swept(
                    model=ghost.model, what=ghost.what, id=ghost.id, name=ghost.name, reason=reason
                )
            )
    return swept


def _forgotten(env: Environment, ghost: Ghost) -> str:
    """Say why nobody will end this run or model; empty while somebody may."""
    trained = env.ledger.find("training", ghost.model, ghost.key)
    if trained is None:
        alive = env.ledger.held(f"training:{ghost.model}:{ghost.key[:16]}")
        young = env.clock.now() - ghost.since < DEAD
        return "" if alive or young else "its training ended without a version"
    shown = mirror.run_id(env.ledger, trained)
    if shown is None:  # it is completed when the version is told of
        return ""
    return f"version {trained.payload['version']} is shown as run {shown}"
