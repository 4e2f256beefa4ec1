"""Aliases and tags of versions in the tracking server: what the ledger wants, and what differs."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from trimtab.adapters.tracking import (
    APPROVAL,
    BLOCKED,
    CHALLENGER,
    CHAMPION,
    GATE,
    KEY,
    VERSION,
    Registered,
)
from trimtab.environment import Environment
from trimtab.ledger import blocks, champion, mirror, versions
from trimtab.types import ForeignChange

_LONGEST = 500  # characters of a reason in a tag


@dataclass(frozen=True)
class Difference:
    """What is not as the ledger has it; without ``repair`` it cannot be put right."""

    change: ForeignChange
    repair: Callable[[], None] | None


def show(env: Environment, model: str, runs: Mapping[str, int] | None = None) -> None:
    """Put aliases and tags right. ``runs`` are runs the ledger does not know yet."""
    for difference in differences(env, model, runs):
        if difference.repair:
            difference.repair()


def differences(
    env: Environment, model: str, runs: Mapping[str, int] | None = None
) -> Iterator[Difference]:
    """Find what differs: registered versions, their tags, then the aliases of the model.

    A version is ours by the run it came from: tags can be written by anybody.
    """
    known = {**mirror.shown_as(env.ledger, model), **(runs or {})}
    there = env.tracker.registered(model)
    ours: dict[int, Registered] = {}
    for each in there:
        version = known.get(each.run_id)
        if version is None or version in ours:
            yield Difference(_stranger(model, each), None)
        else:
            ours[version] = each
    wanted = _tags(env, model)
    for version, each in ours.items():
        yield from _retagged(env, model, version, each, wanted[version])
    for version in sorted(set(known.values()) - set(ours)):
        gone = ForeignChange(
            model=model, what="version", name=f"version {version}", wanted="registered"
        )
        yield Difference(gone, None)
    yield from _moved(env, model, there, ours)


def _stranger(model: str, each: Registered) -> ForeignChange:
    seen = f"registered from run {each.run_id or 'unknown'}"
    return ForeignChange(
        model=model, what="version", name=f"MLflow version {each.number}", seen=seen
    )


def _tags(env: Environment, model: str) -> dict[int, dict[str, str | None]]:
    """The tags of every trained version; None: must not be there."""
    ledger, tags = env.ledger, dict[int, dict[str, str | None]]()
    for event in ledger.events("training", model):
        version, key = int(event.payload["version"]), event.payload["key"]
        tags[version] = {KEY: key, VERSION: str(version), GATE: None, APPROVAL: None, BLOCKED: None}
    found = [
        (int(e.payload["version"]), GATE, e.payload["verdict"])
        for e in ledger.events("gate", model)
    ]
    for version, answer in versions.answers(ledger, model).items():
        word = "approved" if answer.approved else "refused"
        found.append((version, APPROVAL, f"{word} by {answer.actor}"))
    for version, event in blocks.standing(ledger, model).items():
        why = f"{event.payload['reason']} ({event.actor})"
        found.append((version, BLOCKED, why[:_LONGEST]))
    for version, name, value in found:
        if version in tags:
            tags[version][name] = value
    return tags


def _retagged(
    env: Environment,
    model: str,
    version: int,
    each: Registered,
    wanted: Mapping[str, str | None],
) -> Iterator[Difference]:
    for name, value in wanted.items():
        seen = each.tags.get(name)
        if seen != value:
            change = ForeignChange(
                model=model, what="tag", name=f"version {version}: {name}", seen=seen, wanted=value
            )
            repair = partial(env.tracker.tag, model, each.number, name, value)
            yield Difference(change, repair)


def _moved(
    env: Environment, model: str, there: list[Registered], ours: Mapping[int, Registered]
) -> Iterator[Difference]:
    now = champion.current(env.ledger, model)
    wanted = {
        CHAMPION: now.version if now else None,
        CHALLENGER: versions.challenger(env.ledger, model),
    }
    versions_of = {each.number: version for version, each in ours.items()}
    aliases = env.tracker.aliases(model) if there else {}
    for alias, version in wanted.items():
        number = aliases.get(alias)
        target = ours.get(version) if version else None
        if number == (target.number if target else None):
            continue
        if version and target is None and number is None:
            continue  # the server does not have the version
        change = ForeignChange(
            model=model,
            what="alias",
            name=alias,
            seen=named(number, versions_of.get(number or "")),
            wanted=f"version {version}" if target else None,
        )
        point = partial(env.tracker.point, model, alias, target.number if target else None)
        yield Difference(change, point)


def named(number: str | None, version: int | None) -> str | None:
    """Name what an alias points at: a version of ours, or one of the server's."""
    if version is not None:
        return f"version {version}"
    return f"MLflow version {number}" if number else None
