"""Online features in Redis: one hash per shelf, an entity's few rows in one field of it."""

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

from trimtab.adapters.online import OnlineStoreError, Row, Shelf, merged
from trimtab.errors import DependencyError

# An entity's rows are a list of [time, known, version, values]. The whole script is one atomic
# step: put each row in its place unless a later version is there, then drop what nobody needs.
# Values travel as text inside, for Lua's numbers are doubles.
_PUT = """
local since = ARGV[1]
for i = 2, #ARGV, 2 do
  local there = redis.call('HGET', KEYS[1], ARGV[i])
  local rows, places = {}, {}
  for _, list in ipairs({there and cjson.decode(there) or {}, cjson.decode(ARGV[i + 1])}) do
    for _, row in ipairs(list) do
      local moment = row[1] .. '|' .. row[2]
      local at = places[moment]
      if not at then
        rows[#rows + 1] = row
        places[moment] = #rows
      elseif row[3] >= rows[at][3] then
        rows[at] = row
      end
    end
  end
  table.sort(rows, function(a, b)
    if a[1] ~= b[1] then return a[1] > b[1] end
    return a[2] > b[2]
  end)
  local kept = {}
  for _, row in ipairs(rows) do
    kept[#kept + 1] = row
    if row[1] <= since and row[2] <= since then break end
  end
  redis.call('HSET', KEYS[1], ARGV[i], cjson.encode(kept))
end
"""
_ENTITIES = 500  # of one call of the script: Redis does nothing else meanwhile


class RedisStore:
    """Keys are ``trimtab:online:{view}`` for the notes and ``…:<shelf>`` for the rows."""

    def __init__(self, url: str) -> None:
        try:
            import redis
        except ImportError:
            raise OnlineStoreError(
                "online features in Redis need a package that is missing; "
                "install it with: pip install 'trimtab[redis]'"
            ) from None
        self.url = url
        self._errors = redis.RedisError
        self._connect = functools.partial(
            redis.Redis.from_url, decode_responses=True, socket_connect_timeout=10
        )

    @functools.cached_property
    def client(self) -> Any:
        """Connect lazily."""
        try:
            return self._connect(self.url, socket_timeout=60)
        except ValueError as error:
            raise OnlineStoreError(f"online: {self.place} is no address: {error}") from None

    @functools.cached_property
    def _script(self) -> Any:
        return self.client.register_script(_PUT)

    @property
    def place(self) -> str:
        """The address without its password."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    def shelves(self, view: str) -> list[Shelf]:
        """Return the shelves of a view."""
        with self._asking():
            return [Shelf(**json.loads(note)) for note in self.client.hvals(_notes(view))]

    def begin(self, shelf: Shelf) -> None:
        """Note what is being written."""
        self._note(shelf)

    def finish(self, shelf: Shelf) -> None:
        """Note what is all there."""
        self._note(shelf)

    def put(self, shelf: Shelf, rows: Sequence[Row], *, since: str) -> None:
        """Write rows, each entity atomically, and drop those that nobody needs."""
        by_entity = [
            (entity, json.dumps([[r.time, r.known, r.version, r.values] for r in mine]))
            for entity, mine in groupby(rows, key=lambda row: row.entity)
        ]
        with self._asking():
            for start in range(0, len(by_entity), _ENTITIES):
                some = by_entity[start : start + _ENTITIES]
                self._script(keys=[_rows(shelf)], args=[since, *(x for pair in some for x in pair)])

    def get(self, shelf: Shelf, entities: Sequence[str]) -> Mapping[str, list[Row]]:
        """Return the rows of these entities."""
        if not entities:
            return {}
        with self._asking():
            found = self.client.hmget(_rows(shelf), list(entities))
        return {
            entity: [Row(entity, *row) for row in json.loads(rows)]
            for entity, rows in zip(entities, found, strict=True)
            if rows is not None
        }

    def drop(self, shelf: Shelf) -> int:
        """Remove the view's other shelves up to the version of this one."""
        others = [
            other
            for other in self.shelves(shelf.view)
            if other.name != shelf.name and other.begun <= shelf.completed
        ]
        with self._asking():
            for other in others:
                self.client.unlink(_rows(other))
                self.client.hdel(_notes(shelf.view), other.name)
        return len(others)

    def probe(self) -> str:
        """Ask whether it answers, and whether it may throw rows away when it is full."""
        with self._asking():
            info = self.client.info()
        policy = info.get("maxmemory_policy", "noeviction")
        loses = "" if policy == "noeviction" else f"; its policy {policy} may drop rows when full"
        return f"{self.place} answers, Redis {info['redis_version']}{loses}"

    def _note(self, shelf: Shelf) -> None:
        key = _notes(shelf.view)

        def write(pipe: Any) -> None:
            there = pipe.hget(key, shelf.name)
            noted = merged(shelf, Shelf(**json.loads(there))) if there else shelf
            pipe.multi()
            pipe.hset(key, shelf.name, json.dumps(asdict(noted)))

        with self._asking():
            self.client.transaction(write, key)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Turn a server that does not answer, or is full, into an error worth a retry."""
        try:
            yield
        except self._errors as error:
            raise DependencyError(f"online: {self.place}: {error}") from None


def _notes(view: str) -> str:
    return f"trimtab:online:{{{view}}}"  # in braces: a cluster keeps a view's keys together


def _rows(shelf: Shelf) -> str:
    return f"{_notes(shelf.view)}:{shelf.name}"
