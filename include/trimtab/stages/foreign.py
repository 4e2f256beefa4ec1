"""What somebody changed in the tracking server by hand: kept in the ledger, then undone."""

from trimtab.adapters.tracking import CHAMPION
from trimtab.environment import Environment
from trimtab.ledger import Event, champion, foreign, mirror
from trimtab.stages.labels import Difference, named
from trimtab.types import ForeignChange


def undone(env: Environment, found: Difference) -> ForeignChange | None:
    """Record a change and undo it; None when it is known already and stays."""
    change = found.change.model_copy(update={"repaired": found.repair is not None})
    event = noticed(env, change)
    if found.repair is None:
        return change if event.new else None
    found.repair()
    foreign.repaired(env.ledger, event)
    return change


def noticed(env: Environment, change: ForeignChange) -> Event:
    """Record a change and tell people, once for each incident."""
    event = foreign.noticed(env.ledger, change)
    if event.new:
        env.notifier.send("warning", f"MLflow was changed by hand: {change.model}", told(change))
    return event


def told(change: ForeignChange) -> str:
    """Say a foreign change in words."""
    was = f"{change.what} {change.name} was {change.seen or 'taken away'}"
    if change.repaired:
        return f"{was}; it is {change.wanted or 'taken away'} again, as the ledger says"
    return f"{was}; the ledger says {change.wanted or 'nothing of it'}"


def overtaken(env: Environment, model: str) -> Event | None:
    """Record that the champion's alias was moved by hand, before a new decision moves it.

    What a telling that was killed left behind is no foreign change: it points at a new champion.
    """
    before = mirror.champion_told(env.ledger, model)
    if before is None:
        return None
    runs, there = mirror.shown_as(env.ledger, model), env.tracker.registered(model)
    ours = {each.number: runs[each.run_id] for each in there if each.run_id in runs}
    later = [c.version for c in champion.history(env.ledger, model)[before.generation :]]
    number = env.tracker.aliases(model).get(CHAMPION) if there else None
    seen = ours.get(number) if number else None
    if before.version not in ours.values() or seen in (before.version, *later):
        return None
    change = ForeignChange(
        model=model,
        what="alias",
        name=CHAMPION,
        seen=named(number, seen),
        wanted=f"version {before.version}",
    )
    return noticed(env, change)
