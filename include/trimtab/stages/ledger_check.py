"""Is the ledger what was written? Its chain, and every anchor that was kept elsewhere."""

import logging
from collections import Counter
from collections.abc import Iterator

from trimtab.environment import Environment
from trimtab.errors import IntegrityError
from trimtab.ledger import champion
from trimtab.ledger.keys import VARIABLE
from trimtab.stages import anchor
from trimtab.types import Anchor, ChainState, Disagreement, LedgerCheck

log = logging.getLogger(__name__)
KIND = "ledger_verified"


def check_ledger(env: Environment, *, record: bool = True) -> LedgerCheck:
    """Walk the chain and compare every anchor with the entry it tells of.

    With ``record`` the result becomes an entry, and one that is well is anchored itself: from
    then on a ledger that was cut behind it is found.
    """
    unread: list[str] = []
    kept = list(anchor.anchors(env, unread))
    state = env.ledger.verify()
    check = _judged(env, state, kept, unread)
    if record:
        _recorded(env, check)
    if not check.ok:
        env.notifier.send("error", "the ledger is not what was written", " ".join(check.problems))
    return check


def _judged(
    env: Environment, state: ChainState, kept: list[Anchor], unread: list[str]
) -> LedgerCheck:
    there = env.ledger.hashes({each.seq for each in kept})
    wrong = [
        Disagreement(anchor=each, found=there.get(each.seq))
        for each in sorted(kept, key=lambda each: each.seq)
        if there.get(each.seq) != each.hash
    ]
    first = _first_bad(state, wrong)
    agreed = {a.seq for a in kept if there.get(a.seq) == a.hash and a.seq < (first or a.seq + 1)}
    problems = [*_broken(state), *_unlike(state, wrong, max(agreed, default=0))]
    problems += _without_key(env, state)
    return LedgerCheck(
        ok=not problems,
        chain=state,
        first_bad=first,
        anchors=dict(Counter(each.place for each in kept)),
        agreed=max(agreed, default=None),
        disagree=tuple(wrong),
        problems=tuple(problems),
        notes=(*unread, *_weak(env, state, kept)),
    )


def _first_bad(state: ChainState, wrong: list[Disagreement]) -> int | None:
    """The first entry that is not what was written; of missing ones the first that is missing."""
    told = [each.anchor.seq if each.found else state.entries + 1 for each in wrong]
    return min([*([state.bad] if state.bad else []), *told], default=None)


def _broken(state: ChainState) -> list[str]:
    return [f"entry {state.bad} {state.why}"] if state.bad else []


def _unlike(state: ChainState, wrong: list[Disagreement], agreed: int) -> list[str]:
    """Say what the anchors that disagree mean: entries that are gone, or were written anew."""
    gone = [each.anchor for each in wrong if each.found is None]
    other = [each.anchor for each in wrong if each.found is not None]
    said = []
    if gone:
        said.append(
            f"entries from {state.entries + 1} to {gone[-1].seq} at least are missing, "
            f"say {_named(gone)}"
        )
    if other:
        after = f"after entry {agreed}, the last one an anchor vouches for, and " if agreed else ""
        said.append(
            f"{after}at entry {other[0].seq} or before, the ledger was written anew, "
            f"say {_named(other)}"
        )
    return said


def _named(anchors: list[Anchor]) -> str:
    places = Counter(each.place for each in anchors)
    return " and ".join(f"{count} anchor(s) in {place}" for place, count in places.items())


def _without_key(env: Environment, state: ChainState) -> list[str]:
    """A chain that anybody can write is no proof where one under a key is expected."""
    if env.ledger.keys.current is None or state.key or state.bad or not state.entries:
        return []
    return [
        f"{VARIABLE} is set, but no entry is under a key: if it is new, run 'trimtab ledger key'; "
        "if it is not, the ledger was written anew without it"
    ]


def _weak(env: Environment, state: ChainState, kept: list[Anchor]) -> list[str]:
    """Say what makes a good result worth less than it could be."""
    said = []
    if state.key is None and env.ledger.keys.current is None:
        said.append(f"the chain is under no key: who writes the database can write it; {VARIABLE}")
    return [*said, *_lacking(env, kept)]


def _lacking(env: Environment, kept: list[Anchor]) -> Iterator[str]:
    """Name the places that do not keep every change of champion: they were away, or are emptied."""
    changes = {event.seq for event in env.ledger.events(champion.KIND)}
    for name in env.project.environment.anchors:
        if missing := changes - {each.seq for each in kept if each.place == name}:
            yield (
                f"anchors {name} keeps {len(changes) - len(missing)} of {len(changes)} changes of "
                f"champion; the newest it lacks is entry {max(missing)}"
            )


def _recorded(env: Environment, check: LedgerCheck) -> None:
    facts = check.to_json(include={"ok", "first_bad", "anchors", "problems", "notes"})
    entry = {**facts, "entries": check.chain.entries, "head": check.chain.head}
    key = f"{check.chain.entries}:{check.chain.head}"
    try:
        event = env.ledger.append(KIND, "ledger", key, entry)
    except IntegrityError as error:  # its key is not here: a finding, and already told
        log.warning("the result is not recorded: %s", error)
        return
    if check.ok:
        anchor.keep(env, event)
