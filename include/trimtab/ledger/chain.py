"""Every entry carries the hash of the one before, so that an edit, a gap or a swap shows."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

GENESIS = "0" * 64


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


def entry_hash(previous: str, entry: Mapping[str, Any]) -> str:
    """Hash of one entry, bound to the one before."""
    at: datetime = entry["at"]
    stamp = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    fields = [entry[name] for name in ("seq", "kind", "subject", "key", "actor", "payload")]
    return digest([previous, stamp, *fields])


def first_bad(entries: Iterable[Mapping[str, Any]]) -> int | None:
    """Return the ``seq`` of the first entry that does not fit the chain, or None when all do."""
    previous, expected = GENESIS, 1
    for entry in entries:
        intact = entry["previous"] == previous and entry["hash"] == entry_hash(previous, entry)
        if entry["seq"] != expected or not intact:
            return int(entry["seq"])
        previous, expected = entry["hash"], expected + 1
    return None
