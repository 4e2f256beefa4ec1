"""How an entry of the ledger is told to another place: its number, and the hash of all up to it."""

import re

from trimtab.ledger.event import Event

_TEXT = re.compile(r"(?<![0-9a-f])(\d{1,12})[:-]([0-9a-f]{64})(?![0-9a-f])")


def text_of(event: Event) -> str:
    """Return the text by which other places keep an entry."""
    return f"{event.seq}:{event.hash}"


def found_in(text: str) -> list[tuple[int, str]]:
    """Return number and hash of every entry that a text tells of."""
    return [(int(seq), found) for seq, found in _TEXT.findall(text)]
