"""Make the tracking server show what the ledger says: what it missed, open runs, champions."""

from collections.abc import Iterable
from datetime import timedelta

from trimtab.adapters.tracking import Ghost
from trimtab.environment import Environment
from trimtab.ledger import champion, mirror
from trimtab.stages.mirror import attempt, waiting
from trimtab.types import Mirrored, Swept, TrackingSync

DEAD = timedelta(hours=1)  # a run nobody trains for may be so old before it is closed


def sync(env: Environment, *, dry_run: bool = False) -> TrackingSync:
    """Tell the server what it missed, close runs nobody will end, put the champions right.

    Doing it again, or after it was killed anywhere, changes nothing more. With ``dry_run``
    nothing is written.

    Raises:
        DependencyError: the server does not answer.
    """
    env.tracker.probe()
    models = sorted({*env.project.models, *env.ledger.subjects("training")})
    told: list[Mirrored] = []
    problems: list[str] = []
    for model in models if not dry_run else ():
        done, problem = attempt(env, model)
        told += done
        problems += [f"{model}: {problem}"] if problem else []
    left = [waiting(event) for model in models for event in mirror.untold(env.ledger, model)]
    behind = {each.model for each in left}
    return TrackingSync(
        place=env.tracker.place,
        dry_run=dry_run,
        told=tuple(told),
        waiting=tuple(left),
        killed=tuple(_sweep(env, models, dry_run=dry_run)),
        aliases=_champions(env, [m for m in models if m not in behind], dry_run=dry_run),
        problems=tuple(problems),
    )


def _sweep(env: Environment, models: Iterable[str], *, dry_run: bool) -> list[Swept]:
    """End open runs whose training is shown elsewhere, or left nothing."""
    swept = []
    for ghost in env.tracker.running(models):
        if reason := _forgotten(env, ghost):
            if not dry_run:
                env.tracker.kill(ghost, reason)
            swept.append(
                Swept(model=ghost.model, run_id=ghost.run_id, name=ghost.name, reason=reason)
            )
    return swept


def _forgotten(env: Environment, ghost: Ghost) -> str:
    """Say why nobody will end this run; empty while somebody may."""
    trained = env.ledger.find("training", ghost.model, ghost.key)
    if trained is None:
        alive = env.ledger.held(f"training:{ghost.model}:{ghost.key[:16]}")
        young = env.clock.now() - ghost.since < DEAD
        return "" if alive or young else "its training ended without a version"
    shown = mirror.run_id(env.ledger, trained)
    if shown is None:  # it is completed when the version is told of
        return ""
    return f"version {trained.payload['version']} is shown as run {shown}"


def _champions(
    env: Environment, models: Iterable[str], *, dry_run: bool
) -> dict[str, tuple[int | None, int]]:
    """Put right the alias of champions that somebody moved by hand; the ledger decides."""
    moved: dict[str, tuple[int | None, int]] = {}
    for model in models:
        now = champion.current(env.ledger, model)
        if now is None or (seen := env.tracker.champion_version(model)) == now.version:
            continue
        if dry_run or env.tracker.mirror_champion(model, now.version):
            moved[model] = (seen, now.version)
    return moved
