"""Keep the ledger's head where its owner does not write: folders or buckets, MLflow, the cards.

Who can rewrite the whole database can make a chain that fits. It will not fit what these say.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

from trimtab.adapters.store import Store, open_store
from trimtab.environment import Environment
from trimtab.errors import TrimtabError
from trimtab.ledger import Event, anchor, champion
from trimtab.ledger.chain import canonical
from trimtab.types import Anchor

log = logging.getLogger(__name__)
_FOLDER = "ledger"
_CARDS = "models/*/v*/card.md"


def keep_champion(env: Environment, model: str) -> None:
    """Keep the entry of the newest change of champion; doing it again changes nothing."""
    if event := env.ledger.latest(champion.KIND, model):
        keep(env, event)


def keep(env: Environment, event: Event) -> None:
    """Keep one entry in every anchor place. A place that fails warns: the decision stands."""
    key = f"{_FOLDER}/{anchor.text_of(event).replace(':', '-')}.json"
    fact = {"seq": event.seq, "hash": event.hash, "at": event.at.isoformat(), "kind": event.kind}
    for name in env.project.environment.anchors:
        try:
            _place(env, name).create(key, f"{canonical(fact)}\n".encode())
        except (OSError, TrimtabError) as error:
            log.warning("anchors %s: %s", name, error)
            text = f"entry {event.seq} is not kept at {name}: {error}; correct 'anchors'"
            env.notifier.send("warning", "the ledger's head is not kept everywhere", text)


def anchors(env: Environment, unread: list[str]) -> Iterator[Anchor]:
    """Yield every anchor there is; what cannot be read is said in ``unread``."""
    from trimtab.evaluation import card  # pages take long to import, and a rollback writes none yet

    for name in env.project.environment.anchors:
        try:
            yield from in_place(env, name)
        except (OSError, TrimtabError) as error:
            unread.append(f"anchors {name} cannot be read: {error}")
    try:
        for text in env.tracker.heads():
            yield from _told(text, "tracking", env.tracker.place)
    except Exception as error:  # each kind of store has errors of its own
        told = f"{type(error).__name__}: {error}".splitlines()[0]
        unread.append(f"MLflow at {env.tracker.place} cannot be read: {told}")
    for page in sorted(env.reports.glob(_CARDS)):
        for line in page.read_text(errors="replace").splitlines():
            if line.startswith(card.HEAD):
                yield from _told(line, "card", "model cards")


def in_place(env: Environment, name: str) -> Iterator[Anchor]:
    """Yield the anchors of one folder or bucket. A name tells all, so that none is opened."""
    for key in _place(env, name).keys(f"{_FOLDER}/"):
        yield from _told(key, "folder", name)


def _told(text: str, kind: str, place: str) -> Iterator[Anchor]:
    for seq, found in anchor.found_in(text):
        yield Anchor.model_validate({"seq": seq, "hash": found, "kind": kind, "place": place})


def _place(env: Environment, name: str) -> Store:
    return open_store(name if name.startswith("s3://") else Path(env.home / name))
