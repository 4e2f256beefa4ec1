"""Every entry carries the hash of the one before, so that an edit, a gap or a swap shows.

Under a key the hash is an HMAC, and only who has the key can make one. From which entry on a key
holds is itself an entry, of kind `SWITCH`.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from trimtab.ledger.keys import VARIABLE, Key, Keyring
from trimtab.types import ChainState

GENESIS = "0" * 64
SWITCH = "chain_key"  # kind of the entry from which on another key holds, itself included


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text.

    Raises:
        ValueError: a number is NaN or infinite, which JSON (and PostgreSQL) does not have.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )


def plain(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return the payload as it will be read back (tuples are lists, keys are text)."""
    values: dict[str, Any] = json.loads(json.dumps(payload, allow_nan=False))
    return values


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON of ``value``; the identity of inputs and configurations."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def entry_hash(previous: str, entry: Mapping[str, Any], key: Key | None = None) -> str:
    """Hash of one entry, bound to the one before; with a key an HMAC."""
    at: datetime = entry["at"]
    stamp = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    fields = [entry[name] for name in ("seq", "kind", "subject", "key", "actor", "payload")]
    if entry.get("origin") is not None:  # entries of before this column have none
        fields.append(entry["origin"])
    content = [previous, stamp, *fields]
    return key.sign(canonical(content).encode()) if key else digest(content)


def walked(entries: Iterable[Mapping[str, Any]], keys: Keyring) -> ChainState:
    """Go along the whole chain, or up to the first entry that does not fit."""
    walk, found = _Walk(keys), iter(entries)
    while True:
        try:
            entry = next(found, None)
        except (ValueError, TypeError) as error:  # no time or no JSON where one should be
            return walk.state(walk.count + 1, f"cannot be read: {error}")
        if entry is None:
            return walk.state()
        if why := walk.misfit(entry):
            return walk.state(int(entry["seq"]), why)
        walk.take(entry)


class _Walk:
    """What the entries so far say of the next one."""

    def __init__(self, keys: Keyring) -> None:
        self.keys, self.key = keys, ""
        self.count, self.head = 0, GENESIS

    def misfit(self, entry: Mapping[str, Any]) -> str:
        """Say why an entry does not follow the ones before; '' when it does."""
        if entry["seq"] != self.count + 1:
            return f"stands where entry {self.count + 1} should"
        if entry["previous"] != self.head:
            return "does not name the hash of the entry before"
        name = self._key_of(entry)
        key = self.keys.find(name) if name else None
        if name and key is None:
            return f"is under the key {name}, which {VARIABLE} does not hold"
        if entry["hash"] != entry_hash(self.head, entry, key):
            return "is not what was written"
        return ""

    def take(self, entry: Mapping[str, Any]) -> None:
        self.key = self._key_of(entry)
        self.count, self.head = self.count + 1, str(entry["hash"])

    def state(self, bad: int | None = None, why: str = "") -> ChainState:
        return ChainState(
            entries=self.count, head=self.head, key=self.key or None, bad=bad, why=why
        )

    def _key_of(self, entry: Mapping[str, Any]) -> str:
        """Id of the key an entry has to be under; '' before the first one."""
        if entry["kind"] != SWITCH or not isinstance(entry["payload"], dict):
            return self.key
        return str(entry["payload"].get("key"))
